"""Stand-ins that live inside pods: what the twin and the ingress controller have in common.

Such a stand-in lives only while the pod is Ready in which the real program would be running, and acts with the token
of that pod's service account and nothing more.

    host       the pod a stand-in lives in
    instances  one instance for each such pod that is up, each with its own identity
    identity   the token of a pod's service account
    lease      leader election
    events     Kubernetes events
    store      a watched copy of the API server that knows the stand-in's own writes
    process    starting and ending the process (the node stand-in too)
"""
