"""The steps of the pricing oracle, in the order in which a line passes them."""
