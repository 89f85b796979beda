"""The sessions: clients of the platform, and the vendor's placing of them on pods.

It creates and deletes nothing. All it writes is the annotation `sandbox.sm-realtime/sessions` of the pods that hold
sessions, which the session-group twin reads as usage and the node stand-in as work to be waited for.

    rows       what nobody here knows of the vendor's software: one enum a row
    model      sessions, their paths, cuts
    objects    the API server's objects as plain values
    view       all of them at one moment, and what can be asked of them
    placement  where a new session goes, or why it is turned away
    clocks     how long each hop lets a session be silent, or live on in a worker that was told to stop
    cuts       what of a session's path has stopped serving it
    informers  watched copies of all that matters
    counts     the number of sessions on each pod, written to the API server
    crowd      who is connected now
    clients    what each client asks for, by a seed
    traffic    clients: they come, are placed, leave, and notice when they are cut
    journal    what happened, in order

How the parts belong together: `docs/explanation/drill.md`.
"""
