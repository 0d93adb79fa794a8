// Turns a token into the digests that it is looked up by.

import Keys

var generator = SystemRandomNumberGenerator()
let token = Token.make(prefix: .service, mode: .live, workspace: .random(using: &generator), using: &generator)

// snippet.file
let text = """
    pepper 2026-07 6d5b1f0e8c2a4d7793be15a0c4f86e2d90a7b3c15d2e4f608192a3b4c5d6e7f8
    pepper 2026-01 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0
    idempotency i1 a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f91
    role r1 1122334455667788990011223344556677889900112233445566778899001122
    """
let secrets = try SecretsFile(parsing: text)
// snippet.end

// snippet.digest
// A new token is stored under the current pepper, which is the first of the file.
let stored = secrets.peppers.digest(of: token)
print(stored.pepperID)

// A presented token is looked up under every pepper, so that old tokens keep working while peppers rotate.
let candidates = secrets.peppers.digests(of: token)
print(candidates.map(\.pepperID), candidates.contains(stored))
// snippet.end
