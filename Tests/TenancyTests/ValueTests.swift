import FoundationEssentials
import Keys
import Tenancy
import Testing

@Suite struct SlugTests {
    @Test(arguments: ["a", "0", "a-b", "a--b", String(repeating: "x", count: 63)])
    func `letters, digits and inner dashes form a slug`(text: String) throws {
        #expect(try Slug(validating: text).text == text)
    }

    @Test(arguments: ["", "-a", "a-", "A", "a_b", "a b", "ä", "a\0", String(repeating: "x", count: 64)])
    func `other texts are not a slug`(text: String) {
        #expect(throws: TenancyError.self) { try Slug(validating: text) }
    }

    // The attack: somebody gives a workspace another workspace's id as its slug, so that the id resolves to the wrong
    // workspace.
    @Test func `a text in the form of an id is not a slug`() {
        #expect(throws: TenancyError.self) { try Slug(validating: "01890a5d-ac96-774b-bcce-b302099a8057") }
        #expect(Slug.derived(from: "01890A5D-AC96-774B-BCCE-B302099A8057") == nil)
    }

    @Test(
        arguments: [
            ("Acme, Inc.", "acme-inc"), ("  x  ", "x"), ("ÄÖ", nil), ("--", nil), ("a\0b", "a-b"),
            ("İstanbul", "i-stanbul"),
        ] as [(String, String?)]
    )
    func `a slug that is derived from a name is valid or absent`(name: String, slug: String?) throws {
        #expect(Slug.derived(from: name)?.text == slug)
        if let slug { _ = try Slug(validating: slug) }
    }

    @Test func `a derived slug is valid for any name`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let scalars = (0..<Int.random(in: 0...80))
                .map { _ in
                    Unicode.Scalar(UInt8.random(in: 0...127, using: &generator))
                }
            let name = String(String.UnicodeScalarView(scalars))
            if let slug = Slug.derived(from: name) { #expect(throws: Never.self) { try Slug(validating: slug.text) } }
        }
    }
}

@Suite struct PageCursorTests {
    @Test func `a cursor can be parsed from its text`() throws {
        let id = UUIDv7.make(at: .earliest, random: (1, 2))
        for microseconds in [0, -1, 1, 1_700_000_000_123_456] as [Int64] {
            let cursor = PageCursor(createdAt: Timestamp(microsecondsSinceUnixEpoch: microseconds), id: id)
            #expect(PageCursor(cursor.text) == cursor)
        }
    }

    @Test(arguments: [
        "", ".", "x", "1.2", "1.01890A5D-ac96-774b-bcce-b302099a8057", "01.01890a5d-ac96-774b-bcce-b302099a8057",
    ])
    func `other texts are not a cursor`(text: String) {
        #expect(PageCursor(text) == nil)
    }
}

@Suite struct InstallationTests {
    @Test func `the runtime role's name fits into PostgreSQL's 63 bytes`() throws {
        let installation = try Installation(prefix: String(repeating: "a", count: 24))
        #expect(installation.runtimeRole.utf8.count <= 63)
    }

    @Test(arguments: ["", "A", "1a", "a-b", "a\"", String(repeating: "a", count: 25)])
    func `a prefix that would need quoting is refused`(prefix: String) {
        #expect(throws: TenancyError.self) { try Installation(prefix: prefix) }
    }
}
