"""The published client of the Aignostics Platform (package ``aignostics``) with a Coverslip platform.

Its bucket is at a fixed address, which no setting changes, and its health check asks a server on the internet. This
package is an extension of that client, found by its entry point group ``aignostics.plugins``: beside it, the bucket is
that of ``AIGNOSTICS_API_ROOT``, and no other server is asked. Programs that use the client as a library import this
package first.
"""

from coverslip.integrations.aignostics.bridge import build_bridge

build_bridge()
