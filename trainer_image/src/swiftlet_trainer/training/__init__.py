"""How a step is computed: precision, loss, batches, and the loop around them."""
