"""What a resource reads besides itself: profiles, claims, sources, other resources."""
