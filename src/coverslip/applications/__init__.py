"""What runs on a slide: the application protocol, manifests, the registry, and the applications that come along."""
