"""What the nodes of a Redis with Sentinel run: at the start they ask who is primary, at the end they hand over.

Plain `sh` with what the official image has. Each node calls itself, and is called, by its host name, never by an
address: a pod comes back under another one. REDIS_NODE is the node's own name, REDIS_STEM and REDIS_DOMAIN are what it
has in common with the others', REDIS_NODES says how many there are. Arguments are passed on to the server.
"""

from __future__ import annotations

MASTER_SET = "mymaster"
"""Name of the primary among the sentinels; a constant of the vendor's programs (contract: control plane 9.1)."""

FOLDER = "/opt/redis"
"""Where the scripts are mounted."""

STATE = "/data/sentinel/sentinel.conf"
"""What a sentinel knows. On the disk: after a stop of all nodes it says which of them was the primary."""

COMMON = f"""\
SELF="$REDIS_NODE.$REDIS_DOMAIN"
STATE={STATE}

others() {{
  i=0
  while [ "$i" -lt "$REDIS_NODES" ]; do
    [ "$REDIS_STEM-$i" = "$REDIS_NODE" ] || echo "$REDIS_STEM-$i.$REDIS_DOMAIN"
    i=$((i + 1))
  done
}}

# the primary's name, as the sentinel of a node has it; nothing when it does not answer
ask() {{
  said=$(timeout 3 redis-cli -h "$1" -p 26379 SENTINEL get-master-addr-by-name {MASTER_SET} 2>/dev/null | head -n 1)
  case "$said" in *".$REDIS_DOMAIN") echo "$said" ;; esac
}}

# the first answer of another node's sentinel
others_say() {{
  for node in $(others); do
    said=$(ask "$node")
    if [ -n "$said" ]; then
      echo "$said"
      return
    fi
  done
}}

# whether every other sentinel that answers, and at least one, names another node than this one
handed_over() {{
  heard=
  for node in $(others); do
    said=$(ask "$node")
    [ "$said" != "$SELF" ] || return 1
    heard="$heard$said"
  done
  [ -n "$heard" ]
}}

# whether a node beside this one has keys
others_hold_data() {{
  for node in $(others); do
    case "$(timeout 3 redis-cli -h "$node" -p 6379 DBSIZE 2>/dev/null)" in
      '' | 0 | *[!0-9]*) ;;
      *) return 0 ;;
    esac
  done
  return 1
}}

# whether the others take this node for the primary, whose disk is new, while they have keys
is_empty_primary() {{
  [ "$(others_say)" = "$SELF" ] && [ ! -e /data/appendonlydir ] && others_hold_data
}}

# whether the sentinel of every other node answers
others_answer() {{
  for node in $(others); do
    [ -n "$(ask "$node")" ] || return 1
  done
}}

remembered() {{
  sed -n 's/^sentinel monitor {MASTER_SET} "\\{{0,1\\}}\\([^ "]*\\).*/\\1/p' "$STATE" 2>/dev/null || true
}}

first() {{
  echo "$REDIS_STEM-0.$REDIS_DOMAIN"
}}
"""

START_REDIS = f"""\
set -eu
. {FOLDER}/common.sh

# an empty primary would empty the others: with a new disk this node waits until one of them has taken over
if is_empty_primary; then
  echo "this node has a new disk and the others have data: waiting for one of them to take over"
  until handed_over; do sleep 1; done
fi
primary=$(others_say)
[ -n "$primary" ] || primary=$(remembered)
[ -n "$primary" ] || primary=$(first)
echo "the primary is $primary"

set -- redis-server /etc/redis/redis.conf --include /etc/redis/replica.conf --include /etc/redis/node.conf \\
  --replica-announce-ip "$SELF" "$@"
[ "$primary" = "$SELF" ] || set -- "$@" --replicaof "$primary" 6379
exec "$@"
"""

START_SENTINEL = f"""\
set -eu
. {FOLDER}/common.sh
mkdir -p "${{STATE%/*}}"

# a new one knows no replica: as the leader of a fail-over it would find nobody to promote, and all would wait for
# minutes until the next try; the others choose without it, as long as there are enough of them
if is_empty_primary; then
  echo "this node has a new disk and the others have data: waiting for them to choose another primary"
  while others_answer && ! handed_over; do sleep 1; done
fi

# what it knew stays; an older state is put right by the other sentinels
primary=$(remembered)
[ -n "$primary" ] || primary=$(others_say)
[ -n "$primary" ] || primary=$(first)
known=$(grep -E '^sentinel (known-replica|known-sentinel|config-epoch|leader-epoch|current-epoch) ' "$STATE" || true)
{{
  sed "s/^sentinel monitor {MASTER_SET} [^ ]*/sentinel monitor {MASTER_SET} $primary/" /etc/redis/sentinel.conf
  echo "sentinel announce-ip $SELF"
  # one identity for life: a sentinel that comes back under another one would count twice
  echo "sentinel myid $(printf %s "$SELF" | sha1sum | cut -c 1-40)"
  echo "$known"
}} > "$STATE.new"
mv "$STATE.new" "$STATE"
echo "the primary is $primary"
exec redis-server "$STATE" --sentinel "$@"
"""

STOP_REDIS = f"""\
set -eu
. {FOLDER}/common.sh
end=$(($(date +%s) + REDIS_STOP_SECONDS))

redis() {{
  redis-cli -h "$SELF" -p 6379 "$@"
}}

# gives up at the end of the time there is: whoever waits for a write is let go
in_time() {{
  [ "$(date +%s)" -lt "$end" ] && return
  redis CLIENT UNPAUSE > /dev/null
  exit 1
}}

redis INFO replication | grep -q '^role:master' || exit 0

# from here on no write is answered, so none is that the next primary lacks; the pause outlives this node
redis CLIENT PAUSE 600000 WRITE > /dev/null
offset=$(redis INFO replication | tr -d '\\r' | sed -n 's/^master_repl_offset://p')
behind() {{
  offsets=$(redis INFO replication | sed -n 's/^slave[0-9]*:.*state=online,offset=\\([0-9]*\\),.*/\\1/p')
  least=$(echo "$offsets" | sort -n | head -n 1)
  [ -z "$least" ] || [ "$least" -lt "$offset" ]
}}
while behind; do
  in_time
  sleep 0.2
done

until redis-cli -h "$SELF" -p 26379 SENTINEL failover {MASTER_SET} | grep -qE '^(OK|INPROG)'; do
  in_time
  sleep 0.5
done
until handed_over; do
  in_time
  sleep 0.2
done
"""

STOP_SENTINEL = f"""\
set -eu
. {FOLDER}/common.sh
# it leads the hand-over of its own node's Redis, so it outlives that
end=$(($(date +%s) + REDIS_STOP_SECONDS))
while [ "$(ask "$SELF")" = "$SELF" ] || [ "$(others_say)" = "$SELF" ]; do
  [ "$(date +%s)" -lt "$end" ] || exit 0
  sleep 0.2
done
"""

SCRIPTS = {
    "common.sh": COMMON,
    "start-redis.sh": START_REDIS,
    "start-sentinel.sh": START_SENTINEL,
    "stop-redis.sh": STOP_REDIS,
    "stop-sentinel.sh": STOP_SENTINEL,
}
"""By file name."""


def script(name: str) -> list[str]:
    """The command that runs one of them."""
    return ["sh", f"{FOLDER}/{name}"]
