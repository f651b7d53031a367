"""Last9 over HTTP: the two calls of its API, retries, TLS, proxies. Nothing else in the engine knows httpx."""
