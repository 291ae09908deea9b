"""Mail: rendered from templates, built with the standard library, handed to a provider."""
