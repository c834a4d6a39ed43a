// Command coredns is CoreDNS with only the plugins that this cluster's Corefile names. A main of one's own is the
// way CoreDNS documents for a smaller one (https://coredns.io/2017/07/25/compile-time-enabling-or-disabling-plugins/);
// the whole of it pulls in the SDKs of several clouds.
package main

import (
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() { coremain.Run() }
