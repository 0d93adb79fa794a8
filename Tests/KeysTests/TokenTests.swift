import Keys
import TestSupport
import Testing

@Suite struct TokenTests {
    private static let base62 = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let typed = base62 + Array("_-. \u{7F}".utf8) + [0x00, 0x80, 0xFF]

    @Test func `every token parses into the parts that it was made of`() throws {
        try forEachSeed(5_000) { seed, generator in
            let prefix = try #require(TokenPrefix(generator.pick(["m", "ak", "mks", "x9y0"])))
            let mode = generator.pick(KeyMode.allCases)
            let ref = WorkspaceRef.random(using: &generator)
            let text = Token.make(prefix: prefix, mode: mode, workspace: ref, using: &generator).reveal()
            let parsed = try #require(TokenParser.parse(text), "seed \(seed)")
            #expect(parsed.prefix == prefix && parsed.mode == mode && parsed.workspaceRef == ref, "seed \(seed)")
            #expect(parsed.displayPrefix.text == String(text.prefix(16)), "seed \(seed)")
            #expect(
                text.hasPrefix("\(prefix)_\(mode.rawValue)_") && text.dropLast(6).hasSuffix(ref.text),
                "seed \(seed)"
            )
            #expect(try Token(text).parsed == parsed, "seed \(seed)")
        }
    }

    @Test func `a token has a fixed text, with zlib's checksum`() throws {
        let body = try #require(TokenBody(derivedFrom: (0..<32).flatMap { [0, 0, 0, 0, 0, 0, 0, $0] }))
        let ref = try #require(WorkspaceRef("00abcXYZ"))
        let token = Token.make(prefix: .service, mode: .live, workspace: ref, body: body)
        #expect(token.reveal() == "mks_live_0123456789ABCDEFGHIJKLMNOPQRSTUV00abcXYZ" + "03RkLR")
    }

    // A person types a token and gets one character wrong. No database is asked.
    @Test func `every substitution of one character is refused`() {
        forEachSeed(60) { seed, generator in
            let token = Array(generator.token().reveal().utf8)
            for position in token.indices {
                for byte in Self.typed where byte != token[position] {
                    var changed = token
                    changed[position] = byte
                    #expect(TokenParser.parse(changed.span) == nil, "seed \(seed), position \(position), byte \(byte)")
                }
            }
        }
    }

    @Test func `every swap of two neighbours is refused`() {
        forEachSeed(2_000) { seed, generator in
            let token = Array(generator.token().reveal().utf8)
            for position in token.indices.dropLast() where token[position] != token[position + 1] {
                var changed = token
                changed.swapAt(position, position + 1)
                #expect(TokenParser.parse(changed.span) == nil, "seed \(seed), position \(position)")
            }
        }
    }

    @Test func `every insertion and every deletion of one character is refused`() {
        forEachSeed(100) { seed, generator in
            let token = Array(generator.token().reveal().utf8)
            for position in 0...token.count {
                for byte in Self.typed {
                    var changed = token
                    changed.insert(byte, at: position)
                    #expect(TokenParser.parse(changed.span) == nil, "seed \(seed), position \(position), byte \(byte)")
                }
                if position < token.count {
                    var changed = token
                    changed.remove(at: position)
                    #expect(TokenParser.parse(changed.span) == nil, "seed \(seed), position \(position)")
                }
            }
        }
    }

    @Test func `bytes that are not a token neither parse nor trap`() {
        forEachSeed(20_000) { seed, generator in
            let count = Int.random(in: 0...70, using: &generator)
            let bytes =
                generator.chance(2) ? generator.bytes(count) : (0..<count).map { _ in generator.pick(Self.typed) }
            #expect(TokenParser.parse(bytes.span) == nil, "seed \(seed)")
        }
    }

    @Test func `each fault has its case`() {
        func fault(_ text: String) -> TokenFault? {
            do throws(TokenFault) {
                _ = try Token(text)
                return nil
            } catch {
                return error
            }
        }
        let tail = String(repeating: "A", count: 46)
        #expect(fault("") == .tooShort)
        #expect(fault("mks_live_" + tail.dropLast(3)) == .tooShort)
        #expect(fault("mks_live_" + tail + "AA") == .tooLong)
        #expect(fault("Mks_live_" + tail) == .badPrefix)
        #expect(fault("9ks_live_" + tail) == .badPrefix)
        #expect(fault("_live_" + tail + "A") == .badPrefix)
        #expect(fault("mksmk_live_" + tail.dropLast()) == .badPrefix)
        #expect(fault("mks_prod_" + tail) == .unknownMode)
        #expect(fault("mks_live_" + tail.dropLast()) == .wrongLength)
        #expect(fault("mks_live_" + tail.dropLast() + "-") == .badCharacter(offset: 54))
        #expect(fault("mks_live_" + tail) == .badChecksum)
    }

    @Test func `tokens are equal if their whole texts are`() throws {
        var generator = SplitMix64(seed: 7)
        let token = generator.token()
        #expect(try Token(token.reveal()) == token)
        #expect(generator.token() != token)
    }

    @Test func `random characters are distributed evenly`() {
        var generator = SplitMix64(seed: 3)
        var counts = [UInt8: Int]()
        for _ in 0..<4_000 {
            for byte in generator.token().reveal().dropLast(14).suffix(32).utf8 { counts[byte, default: 0] += 1 }
        }
        // 128,000 characters, 2,064 of each on average, with a standard deviation of 45. The bounds are six of them away.
        #expect(counts.count == 62)
        #expect(counts.values.allSatisfy { (1_790...2_340).contains($0) })
    }

    @Test func `the checksum is the CRC-32 of zlib`() {
        #expect(CRC32.checksum(of: Array("123456789".utf8).span) == 0xCBF4_3926)
        #expect(CRC32.checksum(of: [UInt8]().span) == 0)
        #expect(CRC32.checksum(of: Array("The quick brown fox jumps over the lazy dog".utf8).span) == 0x414F_A339)
        #expect(CRC32.checksum(of: [0, 0, 0, 0].span) == 0x2144_DF1C)
    }

    // Eight bytes are read at a time, and the rest one by one.
    @Test func `the checksum of every length is that of a division bit by bit`() {
        forEachSeed(2_000) { seed, generator in
            let bytes = generator.bytes(Int(seed % 70))
            var register = UInt32.max
            for byte in bytes {
                register ^= UInt32(byte)
                for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0xEDB8_8320 : register >> 1 }
            }
            #expect(CRC32.checksum(of: bytes.span) == ~register, "seed \(seed)")
        }
    }
}
