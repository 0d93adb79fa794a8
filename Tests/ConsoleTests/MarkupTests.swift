import ServerTestSupport
import TestSupport
import Testing

/// Names with markup in pages.
@Suite(.hangLimit) struct MarkupTests {
    // A name is data: markup, marks that turn the reading order, and a text without a space.
    @Test func `a name with markup is shown as it is and does nothing`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let name = "<script>alert('1')</script>\"><img src=x onerror=alert(2)>&amp;\u{202E}txt"
            let created = try await browser.createKey(name, [("description", "</textarea>{{name}}{{{csrf}}}")])
            #expect(created.status == 201)
            let key = try KeyPageTests.path(created)
            let pages = [
                created, try await browser.get(KeyPageTests.list), try await browser.get(key),
                try await browser.get("\(key)/revoke"),
                try await browser.get("\(key)/events"), try await browser.get("\(KeyPageTests.list)/events"),
            ]
            for page in pages {
                #expect(!page.text.contains("<script>alert") && !page.text.contains("<img"))
                #expect(page.text.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&gt;&lt;img"))
            }
            #expect(pages[2].text.contains("{{name}}{{{csrf}}}"))
        }
    }

    // Attack: a quotation mark or a bracket that people see as a part of another character is markup for a browser.
    @Test(arguments: ["\u{600}<xyzzy \u{600}>", "\"\u{301} xyzzy=\"\u{200D}", "'\u{301}<\u{301}xyzzy>\u{FE0F}"])
    func `markup within characters is shown as it is, too`(name: String) async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let created = try await browser.createKey(name)
            #expect(created.status == 201)
            let query = name.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            for page in [
                created, try await browser.get(KeyPageTests.list),
                try await browser.get("\(KeyPageTests.list)?q=\(query)"),
                try await browser.get(try KeyPageTests.path(created)),
            ] {
                let bytes = Array(page.text.utf8)
                for markup in ["<xyzzy", "<\u{301}xyzzy", "\"\u{301} xyzzy", "xyzzy=\"", "'\u{301}"] {
                    #expect(!bytes.contains(Array(markup.utf8)), "\(markup)")
                }
                #expect(bytes.contains(Array("xyzzy".utf8)))
            }
        }
    }
}
