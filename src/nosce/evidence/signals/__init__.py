"""Which signals tell this model's right answers from its wrong ones: seen once, measured apart, chosen and reported apart."""
