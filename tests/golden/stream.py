"""rnx's random numbers (core/rng.hpp)."""
M64 = (1 << 64) - 1


def philox(key, high, low):
    k = [key & 0xFFFFFFFF, key >> 32]
    c = [low & 0xFFFFFFFF, low >> 32, high & 0xFFFFFFFF, high >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def mix(z):
    z = (z + 0x9E3779B97F4A7C15) & M64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M64
    return z ^ (z >> 31)


class Stream:
    """rng::Stream(seed, purpose, draw, site)"""

    def __init__(self, seed, purpose, draw=0, site=0):
        self.key = mix(seed ^ (purpose << 56))
        self.high = mix(draw) ^ ((site << 1) & M64)

    def uniform(self, index):
        return philox(self.key, self.high, index >> 2)[index & 3] / 4294967296.0
