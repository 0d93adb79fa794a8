import Keys
import TestSupport
import Testing

@Suite struct NameTests {
    @Test func `prefixes`() {
        for text in ["a", "ak", "mks", "a9z0"] { #expect(TokenPrefix(text)?.text == text) }
        for text in ["", "9a", "abcde", "A", "a_", "a-b", "é"] { #expect(TokenPrefix(text) == nil, "\(text)") }
        #expect(KeyKind.allCases.map(\.defaultPrefix.text) == ["mks", "mkp", "mkc", "mka", "mko"])
        #expect(TokenPrefix.apiKey.text == "ak")
        #expect(TokenPrefix("mks") == .service)
    }

    @Test func `workspace references`() throws {
        for text in ["00000000", "00abcXYZ", "zZ9Aa0bB"] { #expect(WorkspaceRef(text)?.text == text) }
        for text in ["", "0000000", "000000000", "0000-000", "0000000é"] {
            #expect(WorkspaceRef(text) == nil, "\(text)")
        }
        #expect(WorkspaceRef("00000000") == .root)
        let ref = try #require(WorkspaceRef("aZabcXYZ"))
        #expect(ref.cell.text == "aZ" && !ref.isRoot)
        #expect(try #require(WorkspaceRef("00A00000")) < #require(WorkspaceRef("00a00000")))
    }

    @Test func `a random reference is in its cell and never the root`() throws {
        let cell = try #require(Cell("7q"))
        var generator = SplitMix64(seed: 5)
        let refs = (0..<1_000).map { _ in WorkspaceRef.random(in: cell, using: &generator) }
        #expect(refs.allSatisfy { $0.cell == cell })
        #expect(Set(refs).count == 1_000)
        // Zeros are the one draw that would give the root; the generator after them has to be asked again.
        var zeros = Zeros(count: 1)
        #expect(!WorkspaceRef.random(using: &zeros).isRoot)
    }

    /// Draws of 0, then of a number without zero digits.
    private struct Zeros: RandomNumberGenerator {
        var count: Int

        mutating func next() -> UInt64 {
            count -= 1
            return count >= 0 ? 0 : 0x1041_0410_4104_1041
        }
    }
}
