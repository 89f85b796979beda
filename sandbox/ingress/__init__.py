"""A strict stand-in for F5's NGINX Ingress Controller 5.5 (open source), and for the load balancer before it.

It lives only while a pod with the controller's image is Ready, reads that pod's own arguments, map, Secrets and class
with that pod's own rights, and refuses what the real one refuses. Each rule with its source is in
`docs/reference/ingress-stand-in.md`.

    arguments      the command line
    host           the controller in a pod
    config_map     the controller's map
    directives     the few nginx directives its snippets may hold
    validation     one Ingress by itself
    configuration  which Ingress has which host; masters and minions
    routing        servers, locations, and which location nginx picks
    certificates   TLS Secrets
    controller     watches, decides, tells, reports addresses
    front          takes connections and answers them
"""
