"""The ground floor: libraries that import no app; every app may use them."""
