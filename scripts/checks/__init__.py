"""What `make check` looks at. Each check answers with findings; one that can't run here says why."""
