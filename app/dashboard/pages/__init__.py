"""The pages, one a file; each is a function of the view that is open."""
