"""What a kubelet does with pods, played for every node of one cluster against the real API server.

Strict where a kubelet is strict: each refusal shows the status and the event a kubelet gives. Nothing of a pod ever
runs on this machine; what its containers would do is one table (`sandbox.nodes.images`).
"""
