import FoundationEssentials
import Keys
import TestSupport
import Testing

@Suite struct DerivationTests {
    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // RFC 4231, test cases 6 and 7, whose keys are as long as a secret can be.
    @Test func `HMAC-SHA-256 gives the values of RFC 4231`() throws {
        let secret = try #require(SecretBytes([UInt8](repeating: 0xAA, count: 131)))
        #expect(
            Self.hex(secret.hmac(of: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)).bytes)
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        )
        let long =
            "This is a test using a larger than block-size key and a larger than block-size data. "
            + "The key needs to be hashed before being used by the HMAC algorithm."
        #expect(
            Self.hex(secret.hmac(of: Array(long.utf8)).bytes)
                == "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        )
    }

    // RFC 5869, appendix A.2.
    @Test func `HKDF-SHA-256 gives the values of RFC 5869`() throws {
        let secret = try #require(SecretBytes(Array(0x00...0x4F)))
        let output = secret.derive(salt: Array(0x60...0xAF), info: Array(0xB0...0xFF), count: 82)
        #expect(
            Self.hex(output) == "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                + "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                + "cc30c58179ec3e87c14c01d5c1f3434f1d87"
        )
    }

    // The derived key was computed with another program: HKDF (RFC 5869) with Python's hmac module.
    @Test func `a workspace's pepper is derived from its reference`() throws {
        let id = try #require(SecretID("p1"))
        let pepper = try #require(Pepper(id: id, bytes: Array(0..<32)))
        let ref = try #require(WorkspaceRef("00AbC123"))
        var generator = SplitMix64(seed: 3)
        let token = Token.make(prefix: .service, mode: .live, workspace: ref, using: &generator)
        let derived: [UInt8] = [
            0xCC, 0x1E, 0x32, 0x90, 0x09, 0xB2, 0x70, 0xEC, 0x2C, 0x5D, 0x5A, 0x4C, 0xAF, 0xFE, 0xF1, 0xBC,
            0x14, 0xA3, 0x2E, 0x1F, 0xF7, 0xAC, 0xA5, 0x29, 0xFA, 0x1E, 0x71, 0xF7, 0xA2, 0xE4, 0x62, 0x11,
        ]
        let expected = try #require(SecretBytes(derived)).hmac(of: Array(token.reveal().utf8))
        let ring = try #require(PepperRing(current: pepper))
        #expect(ring.digests(of: token).map(\.digest) == [expected])
    }

    // The attack: somebody learns the pepper of one workspace and writes a digest of a token of another one.
    @Test func `the pepper of one workspace makes no digest of another`() throws {
        var generator = SplitMix64(seed: 5)
        let id = try #require(SecretID("p1"))
        let pepper = try #require(Pepper(id: id, bytes: generator.bytes(32)))
        let ring = try #require(PepperRing(current: pepper))
        for _ in 0..<100 {
            let (own, foreign) = (generator.token(), generator.token())
            let peppers = ring.peppers(of: own.parsed.workspaceRef)
            #expect(peppers.digests(of: own) == ring.digests(of: own))
            #expect(peppers.digests(of: foreign) != ring.digests(of: foreign))
        }
    }

    @Test func `a digest is the HMAC of the token's text`() throws {
        let id = try #require(SecretID("p1"))
        try forEachSeed(200) { seed, generator in
            let bytes = generator.bytes(32 + Int(seed % 100))
            let pepper = try #require(Pepper(id: id, bytes: bytes))
            let ring = try #require(PepperRing(current: pepper))
            let token = generator.token()
            let info = Array("mortise workspace".utf8) + Array(token.parsed.workspaceRef.text.utf8)
            let key = try #require(SecretBytes(bytes)).derive(salt: [], info: info, count: 32)
            let expected = try #require(SecretBytes(key)).hmac(of: Array(token.reveal().utf8))
            let peppers = ring.peppers(of: token.parsed.workspaceRef)
            // Twice, because the second digest must not continue the first.
            #expect(peppers.digests(of: token).map(\.digest) == [expected], "seed \(seed)")
            #expect(peppers.digests(of: token).map(\.digest) == [expected], "seed \(seed)")
        }
    }

    // A node that lacks a pepper answers "not found" for each token that was made with it.
    @Test func `a new token has the first pepper that all nodes know`() throws {
        var generator = SplitMix64(seed: 6)
        let ids = ["new", "old", "older"].compactMap { SecretID($0) }
        let peppers = try ids.map { try #require(Pepper(id: $0, bytes: generator.bytes(32))) }
        let ring = try #require(PepperRing(current: peppers[0], others: Array(peppers.dropFirst())))
        let token = generator.token()
        let digests = ring.digests(of: token)
        for (shared, chosen) in [
            (["older", "old", "new"], 0), (["old", "older"], 1), (["older"], 2), ([], 0), (nil, 0),
        ] as [([String]?, Int)] {
            #expect(ring.digest(of: token, sharing: shared) == digests[chosen], "\(shared ?? ["unknown"])")
        }
        let single = try #require(PepperRing(current: peppers[0]))
        #expect(single.digest(of: token, sharing: nil) == digests[0])
    }

    @Test func `a ring digests with the current pepper first, and with every pepper differently`() throws {
        var generator = SplitMix64(seed: 4)
        let ids = ["new", "old", "older"].compactMap { SecretID($0) }
        let peppers = try ids.map { try #require(Pepper(id: $0, bytes: generator.bytes(32))) }
        let ring = try #require(PepperRing(current: peppers[0], others: Array(peppers.dropFirst())))
        let token = generator.token()
        let digests = ring.digests(of: token)
        #expect(digests.map(\.pepperID) == ids && ring.ids == ids)
        #expect(digests == peppers.compactMap { PepperRing(current: $0)?.digests(of: token)[0] })
        #expect(Set(digests).count == 3)
        #expect(ring[ids[2]]?.checkValue == peppers[2].checkValue && Set(peppers.map(\.checkValue)).count == 3)
        #expect(PepperRing(current: peppers[0])?.digests(of: token) == [digests[0]])
        #expect(PepperRing(current: peppers[0], others: [peppers[1], peppers[0]]) == nil)
        #expect(Pepper(id: ids[0], bytes: generator.bytes(31)) == nil)
    }

    // The attack: somebody seals a changed backup with what the database has, or with the pepper's other uses.
    @Test func `the seal of a backup depends on the pepper and on each byte, and is no check value`() throws {
        var generator = SplitMix64(seed: 9)
        let id = try #require(SecretID("a"))
        let peppers = try (0..<2).map { _ in try #require(Pepper(id: id, bytes: generator.bytes(32))) }
        let text = Array("{\"files\":[]}".utf8)
        let seal = peppers[0].seal(of: text)
        #expect(seal == peppers[0].seal(of: text) && seal != peppers[1].seal(of: text))
        #expect(seal != peppers[0].checkValue)
        for position in text.indices {
            var other = text
            other[position] ^= 1
            #expect(peppers[0].seal(of: other) != seal)
        }
    }

    @Test func `a digest keeps its bytes and equals no other bytes`() throws {
        let bytes = [UInt8](1...32)
        let digest = try #require(Digest(bytes: bytes))
        #expect(digest.bytes == bytes)
        for position in bytes.indices {
            var other = bytes
            other[position] ^= 0x80
            #expect(try #require(Digest(bytes: other)) != digest)
        }
        #expect(Digest(bytes: Array(bytes.dropLast())) == nil && Digest(bytes: bytes + [0]) == nil)
    }

    // Two requests must never share a token, so every input must count and no input may continue the one before.
    @Test func `a derived token body depends on every input, and on nothing else`() throws {
        var generator = SplitMix64(seed: 8)
        let id = try #require(SecretID("i1"))
        let secret = try #require(IdempotencySecret(id: id, bytes: generator.bytes(32)))
        let other = try #require(IdempotencySecret(id: id, bytes: generator.bytes(32)))
        let (nonce, ref, key) = (generator.bytes(32), WorkspaceRef.random(using: &generator), generator.uuid())
        func token(_ body: TokenBody?) throws -> String {
            Token.make(prefix: .service, mode: .live, workspace: .root, body: try #require(body)).reveal()
        }
        func make(_ nonce: [UInt8], _ text: String, _ ref: WorkspaceRef, _ key: UUID, _ principal: String) -> TokenBody?
        {
            secret.tokenBody(nonce: nonce, idempotencyKey: text, workspace: ref, keyID: key, principal: principal)
        }
        let first = try token(make(nonce, "ab", ref, key, "c"))
        #expect(try token(make(nonce, "ab", ref, key, "c")) == first)
        let different = try [
            token(make(generator.bytes(32), "ab", ref, key, "c")), token(make(nonce, "a", ref, key, "c")),
            token(make(nonce, "ab", .root, key, "c")), token(make(nonce, "ab", ref, generator.uuid(), "c")),
            token(make(nonce, "ab", ref, key, "bc")), token(make(nonce, "a", ref, key, "bc")),
            token(other.tokenBody(nonce: nonce, idempotencyKey: "ab", workspace: ref, keyID: key, principal: "c")),
        ]
        #expect(Set(different + [first]).count == different.count + 1)
        #expect(make(generator.bytes(31), "ab", ref, key, "c") == nil)
        #expect(secret.mac(of: "ab", principal: "c") == secret.mac(of: "ab", principal: "c"))
        #expect(secret.mac(of: "ab", principal: "c") != secret.mac(of: "a", principal: "bc"))
        #expect(secret.mac(of: "ab", principal: "c") != other.mac(of: "ab", principal: "c"))
    }

    // Attack: a thief of the database tries passwords until one gives the digest of the request that set it.
    @Test func `the stored code of a fingerprint depends on the secret`() throws {
        let id = try #require(SecretID("a"))
        let secret = try #require(IdempotencySecret(id: id, bytes: Array(repeating: 1, count: 32)))
        let other = try #require(IdempotencySecret(id: id, bytes: Array(repeating: 2, count: 32)))
        let digest = try #require(Digest(bytes: Array(repeating: 3, count: 32)))
        #expect(secret.mac(of: digest) == secret.mac(of: digest))
        #expect(secret.mac(of: digest) != digest)
        #expect(secret.mac(of: digest) != other.mac(of: digest))
    }

    @Test func `a fingerprint separates its parts`() {
        func make(_ parts: [String], _ ref: WorkspaceRef? = nil, _ body: [UInt8] = []) -> Digest {
            RequestFingerprint.make(
                principal: parts[0],
                method: parts[1],
                path: parts[2],
                workspace: ref,
                query: parts[3],
                body: body
            )
        }
        let digests = [
            make(["p", "POST", "/a", ""]), make(["", "pPOST", "/a", ""]), make(["p", "POS", "T/a", ""]),
            make(["p", "POST", "/a", "q"]), make(["p", "POST", "/a", ""], .root),
            make(["p", "POST", "/a", ""], nil, [1]),
            make(["p", "POST", "/aq", ""]), make(["p", "POST", "/a", "00000000"]),
        ]
        #expect(Set(digests).count == digests.count)
        #expect(make(["p", "POST", "/a", ""]) == digests[0])
    }

    @Test func `a role has a different password on each cluster`() throws {
        var generator = SplitMix64(seed: 9)
        let id = try #require(SecretID("r1"))
        let secret = try #require(RoleSecret(id: id, bytes: generator.bytes(32)))
        let passwords = [("a", "bc"), ("ab", "c"), ("a", "c")]
            .map { secret.password(role: $0.0, clusterID: $0.1).reveal() }
        #expect(Set(passwords).count == 3)
        #expect(
            passwords.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } }
        )
        #expect(secret.password(role: "a", clusterID: "bc").reveal() == passwords[0])
    }
}
