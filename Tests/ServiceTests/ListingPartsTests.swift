import Testing

@testable import Service

@Suite struct ListingPartsTests {
    // The attack: a list of keys with 16 kB each. A part of 200 kept the thread of all requests for milliseconds.
    @Test func `a part of a list has few keys if they are large, and many if they are small`() {
        var parts = ListingParts()
        #expect(parts.next == 20)
        parts.note(keys: 20, bytes: 20 * 16_384)
        #expect(parts.next == 16)
        parts.note(keys: 16, bytes: 16 * 100)
        #expect(parts.next == 200)
        parts.note(keys: 200, bytes: 200 * 1_000_000)
        #expect(parts.next == 1)
        #expect(parts.bytes == 20 * 16_384 + 16 * 100 + 200 * 1_000_000)
    }

    @Test func `keys without texts, and a part without keys, are no special case`() {
        var parts = ListingParts()
        parts.note(keys: 20, bytes: 0)
        #expect(parts.next == 200)
        parts.note(keys: 0, bytes: 0)
        #expect(parts.next == 200)
    }
}
