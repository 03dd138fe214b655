"""Programs that fit what Wenbao ships: weights from data, reproducibly."""
