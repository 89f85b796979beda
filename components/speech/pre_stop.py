"""What an inference server does before it stops (contract: transcription 11.5), rewritten without its weak spots.

Two phases: wait until no client has been connected to the gRPC port for 20 seconds, then until the server listens (one
that still loads models ignores SIGTERM), then SIGTERM to process 1. A failing `netstat` reads as "connections are
there", and a server that listens on IPv4 and IPv6 counts as listening.
"""

from __future__ import annotations

TRITON_PRE_STOP = r"""
say() {
  printf '{"time":"%s","level":"INFO","source":"k8s-preStop-hook","msg":"%s"}\n' \
    "$(date -u +%FT%TZ)" "$1" > /proc/1/fd/1
}
sockets() { timeout 10 netstat -tan; }
say "waiting for connections to port 8001 to end"
idle_since=$(date +%s)
while true; do
  if ! table=$(sockets); then
    say "netstat failed: connections are taken to be there"
    idle_since=$(date +%s)
  elif grep -qE '^tcp.*:8001[[:space:]].*ESTABLISHED' <<< "$table"; then
    idle_since=$(date +%s)
  elif (( $(date +%s) - idle_since > 20 )); then
    break
  fi
  sleep 2
done
say "no connection for 20 seconds; waiting for the server to listen"
give_up=$(( $(date +%s) + 600 ))
while (( $(date +%s) < give_up )); do
  if table=$(sockets) && grep -qE '^tcp.*:8000[[:space:]].*LISTEN' <<< "$table"; then
    break
  fi
  sleep 10
done
say "stopping the server"
kill -TERM 1
exit 0
""".lstrip()
