"""The session-group twin: a strict stand-in for the vendor's `sessiongroups-controller`.

It keeps pods for SessionGroups by the contract of their CRD: it creates and removes them, rolls idle ones only when
the template changes, scales by buffer, and keeps the seven status fields. All it knows is in the API server; a twin
started anew goes on where the old one stopped.

It lives only inside the vendor's Deployment: while a pod with the controller's image is Ready, with the rights of
that pod's service account and nothing more (`sandbox.hosted`). What each CRD field does, and what this
twin refuses or leaves out, is the table in `docs/reference/twin.md`.

    model     SessionGroups and pods as the twin sees them
    template  pod manifests, the hash and the version of a template
    scaling   how many replicas a buffer asks for
    plan      the pure decision: group + pods + time -> actions, each with a reason
    status    the seven status fields
    host      what its pod tells it
    controller  does what the plan says
"""
