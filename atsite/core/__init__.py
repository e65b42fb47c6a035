"""The ground floor: libraries that import no app. Everything above may use them."""
