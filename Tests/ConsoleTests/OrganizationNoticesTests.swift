import JSON
import ServerTestSupport
import TestSupport
import Testing

/// The form for an organization's reaction to leaked tokens and its notices about keys.
@Suite(.hangLimit) struct OrganizationNoticesTests {
    private static let organization = "/console/platform/organizations/default"
    private static let settings = ["leak_action", "expiry_notice_days", "unused_after_days"]

    /// Sends the form of leaks and notices.
    private static func save(
        _ browser: Browser,
        _ values: [String],
        _ more: [(String, String)] = []
    ) async throws -> Browser.Page {
        let fields = Array(zip(settings, values)) + more
        return try await browser.submit(organization, to: "\(organization)/notices", fields)
    }

    /// Returns the settings of the form, as the native API has them.
    private static func saved(_ console: ConsoleHarness) async throws -> [JSONValue] {
        let token = console.mortise.operatorToken
        let answer = try await console.mortise.api.get("/v1/organizations/default", as: token)
        return settings.map { answer[$0] ?? "absent" }
    }

    @Test func `an operator sets the reaction to leaks and the notices, and a member reads them`() async throws {
        try await withConsole { console in
            let browser = try await console.operatorBrowser()
            let answer = try await Self.save(browser, ["quarantine", "14, 2", "0"])
            #expect(answer.status == 303 && answer.location == "\(Self.organization)?done=saved")
            let settings = try await Self.saved(console)
            #expect(settings == ["quarantine", [14, 2], 0])
            let page = try await browser.get(Self.organization)
            #expect(page.text.contains("<option value=\"quarantine\" selected>"))
            let days = try page.field("expiry_notice_days", type: "text")
            #expect(days == "14, 2")

            let member = try await console.browser("eve@example.org", "auditor")
            let read = try await member.get("/console/settings")
            for text in [
                "Accept the key only from the addresses of the last 30 days",
                "Days before the end of a key: 14, 2", ">No notice<",
            ] {
                #expect(read.text.contains(text), "\(text) is not in \(read.text)")
            }
            let refused = try await member.submit("/console/settings", to: "\(Self.organization)/notices")
            #expect(refused.location?.hasPrefix("/console/platform/sign-in") == true)
            let unchanged = try await Self.saved(console)
            #expect(unchanged == settings)
        }
    }

    @Test func `an owner sets the reaction to leaks and the notices of the organization`() async throws {
        try await withConsole { console in
            let page = "/console/settings"
            let owner = try await console.browser("ada@example.org", "owner")
            func save(_ values: [String]) async throws -> Browser.Page {
                try await owner.submit(page, to: "\(page)/notices", Array(zip(Self.settings, values)))
            }
            let wrong = try await save(["notify", "400", "often"])
            #expect(wrong.status == 422)
            for sentence in ["numbers from 1 to 365", "Enter a whole number, or nothing."] {
                #expect(wrong.text.contains(sentence), "\(wrong.text)")
            }
            let typed = try wrong.field("expiry_notice_days", type: "text")
            #expect(typed == "400")
            let answer = try await save(["quarantine", "14, 2", "0"])
            #expect(answer.status == 303 && answer.location == "\(page)?done=saved")
            let settings = try await Self.saved(console)
            #expect(settings == ["quarantine", [14, 2], 0])
            let shown = try await owner.get(page)
            #expect(shown.text.contains("<option value=\"quarantine\" selected>"))

            // The attack: somebody without the right sends the form all the same.
            let auditor = try await console.browser("eve@example.org", "auditor")
            let read = try await auditor.get(page)
            #expect(!read.text.contains("Save notices"))
            let forged = try await auditor.submit(
                page,
                to: "\(page)/notices",
                Array(zip(Self.settings, ["notify", "1", "1"]))
            )
            #expect(forged.status == 403)
            let unchanged = try await Self.saved(console)
            #expect(unchanged == settings)
        }
    }

    @Test(arguments: [
        (["notify", "7, soon", "0"], "Enter whole numbers with commas between them"),
        (["notify", "400", "0"], "The days before an end are up to 10 different numbers from 1 to 365."),
        (["notify", "7", "often"], "Enter a whole number, or nothing."),
        (["notify", "7", "4000"], "The days without a use are 0 to 3650."),
        (["forget", "7", "0"], "Choose a reaction of the list."),
    ])
    func `a fault of the form of notices is named, what was typed stays, and nothing is saved`(
        values: [String],
        sentence: String
    ) async throws {
        try await withConsole { console in
            let browser = try await console.operatorBrowser()
            let before = try await Self.saved(console)
            let page = try await Self.save(browser, values)
            #expect(page.status == 422)
            #expect(page.element("alert")?.contains(sentence) == true, "\(page.text)")
            let typed = try page.field("expiry_notice_days", type: "text")
            #expect(typed == values[1])
            let after = try await Self.saved(console)
            #expect(after == before)
        }
    }

    @Test func `empty fields of the form of notices mean the standard, and a check box means no notice`() async throws {
        try await withConsole { console in
            let browser = try await console.operatorBrowser()
            let none = try await Self.save(browser, ["revoke", "30", "30"], [("no_expiry_notices", "1")])
            #expect(none.status == 303)
            let few = try await Self.saved(console)
            #expect(few == ["revoke", [], 30])
            let page = try await browser.get(Self.organization)
            #expect(page.text.contains("name=\"no_expiry_notices\" value=\"1\" checked>"))
            let standard = try await Self.save(browser, ["", "", ""])
            #expect(standard.status == 303)
            let settings = try await Self.saved(console)
            #expect(settings == [.null, .null, .null])
        }
    }
}

extension Browser.Page {
    /// Returns the value of a field that people fill in; empty if the field has none.
    fileprivate func field(_ name: String, type: String) throws -> String {
        let rest = text.components(after: "name=\"\(name)\" type=\"\(type)\"")
        let start = " value=\""
        let attributes = try #require(rest, "no field \(name) in \(text)")
        guard attributes.hasPrefix(start) else { return "" }
        return String(attributes.dropFirst(start.count).prefix { $0 != "\"" })
    }
}
