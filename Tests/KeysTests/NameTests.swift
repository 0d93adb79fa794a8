import Keys
import TestSupport
import Testing

@Suite struct NameTests {
    @Test func `a prefix is 1 to 4 lower-case letters and digits, and begins with a letter`() {
        for text in ["a", "ak", "mks", "a9z0"] { #expect(TokenPrefix(text)?.text == text) }
        for text in ["", "9a", "abcde", "A", "a_", "a-b", "é"] { #expect(TokenPrefix(text) == nil, "\(text)") }
        #expect(KeyKind.allCases.map(\.defaultPrefix.text) == ["mks", "mkp", "mkc", "mka", "mko"])
        #expect(TokenPrefix.apiKey.text == "ak")
        #expect(TokenPrefix("mks") == .service)
    }

    @Test func `a name of a kind, a mode or a permission is read back, and no other name is`() {
        for kind in KeyKind.allCases { #expect(KeyKind(rawValue: kind.rawValue) == kind) }
        for mode in KeyMode.allCases { #expect(KeyMode(rawValue: mode.rawValue) == mode) }
        for permission in Permission.allCases { #expect(Permission(rawValue: permission.rawValue) == permission) }
        #expect(Permission.allCases.allSatisfy { $0.rawValue.utf8.count <= 16 })
        for name in [
            "", "Service", "service ", "servic", "services", "liv", "live\u{0}", "keys:*", "workspaces:write2",
        ] {
            #expect(KeyKind(rawValue: name) == nil && KeyMode(rawValue: name) == nil)
            #expect(Permission(rawValue: name) == nil, "\(name)")
        }
    }

    @Test func `a workspace reference is 8 base62 characters`() throws {
        for text in ["00000000", "00abcXYZ", "zZ9Aa0bB"] { #expect(WorkspaceRef(text)?.text == text) }
        for text in ["", "0000000", "000000000", "0000-000", "0000000é"] {
            #expect(WorkspaceRef(text) == nil, "\(text)")
        }
        #expect(WorkspaceRef("00000000") == .root)
        let ref = try #require(WorkspaceRef("aZabcXYZ"))
        #expect(ref.cell.text == "aZ" && !ref.isRoot)
        #expect(try #require(WorkspaceRef("00A00000")) < #require(WorkspaceRef("00a00000")))
    }

    @Test func `a random reference is in its cell and is never the root`() throws {
        let cell = try #require(Cell("7q"))
        var generator = SplitMix64(seed: 5)
        let refs = (0..<1_000).map { _ in WorkspaceRef.random(in: cell, using: &generator) }
        #expect(refs.allSatisfy { $0.cell == cell })
        #expect(Set(refs).count == 1_000)
        // Only zeros would give the root. The generator must be asked again after them.
        var zeros = Zeros(count: 1)
        #expect(!WorkspaceRef.random(using: &zeros).isRoot)
    }

    /// A generator that returns 0 at first, and then a number whose digits are not zero.
    private struct Zeros: RandomNumberGenerator {
        var count: Int

        mutating func next() -> UInt64 {
            count -= 1
            return count >= 0 ? 0 : 0x1041_0410_4104_1041
        }
    }
}
