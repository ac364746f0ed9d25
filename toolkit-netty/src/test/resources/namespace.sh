#!/bin/sh
# Run in a network namespace of its own: makes a network of the loopback interface, then runs the program it is given.
# 10.0.0.1 and 2001:db8::1 are addresses of it, and what is sent to the latter is dropped.
set -eu
ip link set lo up
ip addr add 10.0.0.1/32 dev lo
ip addr add 2001:db8::1/128 dev lo nodad
nft add table inet weir
nft add chain inet weir input '{ type filter hook input priority 0; }'
nft add rule inet weir input ip6 daddr 2001:db8::1 drop
exec "$@"
