import FoundationEssentials
import JSON
import MortiseClient
import TestSupport
import Testing
import mortise

@Suite(.hangLimit) struct TextTests {
    @Test func `a table is cut only if it does not fit, and only in columns that allow it`() {
        let columns = [Column("ID"), Column("NAME", minimum: 6)]
        let rows = [["0123456789", "a name that is long"], ["1", "b"]]
        let wide = Table(columns, rows: rows, width: nil)
        #expect(wide.header == "ID          NAME")
        #expect(rows.map(wide.line) == ["0123456789  a name that is long", "1           b"])
        let narrow = Table(columns, rows: rows, width: 20)
        #expect(rows.map(narrow.line) == ["0123456789  a name …", "1           b"])
        let tooNarrow = Table(columns, rows: rows, width: 3)
        #expect(tooNarrow.line(rows[0]) == "0123456789  a nam…")
    }

    @Test(arguments: [("abc", 3), ("日本", 4), ("e\u{301}", 1), ("", 0), ("ａ", 2)])
    func `the width of text is counted in columns of a terminal`(_ text: String, _ columns: Int) {
        #expect(text.columns == columns)
    }

    @Test func `cut text never exceeds its width`() {
        for width in 1...8 { #expect("日本語の名前".cut(to: width).columns <= width) }
        #expect("short".cut(to: 5) == "short")
    }

    @Test(arguments: [
        ("plain ü 日", "plain ü 日"), ("a\u{1B}[2Jb", "a\\u{1b}[2Jb"), ("\u{9B}31m", "\\u{9b}31m"), ("a\nb", "a\\u{a}b"),
        ("\u{202E}x", "\\u{202e}x"), ("\u{2028}", "\\u{2028}"),
    ])
    func `characters that control a terminal are escaped`(_ text: String, _ printable: String) {
        #expect(text.printable == printable)
    }

    // libpq's message has a line for each host, and begins its advice with a tab.
    @Test func `a message of several lines is printed as lines without escapes`() {
        let message = "host a failed: refused\n\tIs it running?\nhost b\u{1B}[2J"
        let failure = CommandFailure(.refused, "It failed.", details: [message])
        #expect(failure.text.hasSuffix("It failed.\n  host a failed: refused\n   Is it running?\n  host b\\u{1b}[2J"))
        #expect("a\n\tb\r\nc".printableLines == ["a", " b", "c"])
    }

    // The attack: a tenant names a key so that the terminal of an operator who prints JSON is renamed, or shows another text.
    @Test func `JSON output escapes what controls a terminal, and means the same`() throws {
        let name = "a\u{9B}31m\u{202E}b\u{7F}\u{2066}\u{2028}\u{61C}\u{200F}日"
        let value: JSONValue = ["name": .string(name)]
        #expect(value.outputText == #"{"name":"a\u009b31m\u202eb\u007f\u2066\u2028\u061c\u200f日"}"#)
        #expect(try JSONValue(parsing: Array(value.outputText.utf8)) == value)
    }

    @Test(arguments: [
        ("0", 0), ("90", 90), ("90s", 90), ("15m", 900), ("24h", 86_400), ("30d", 2_592_000),
    ])
    func `a duration has a unit`(_ text: String, _ seconds: Int) {
        #expect(LengthOfTime(argument: text)?.seconds == seconds)
    }

    @Test(arguments: ["", "d", "-1", "1.5h", "1w", "１s", "9999999999999999999", "106751991167301d", " 1"])
    func `a malformed duration is refused`(_ text: String) {
        #expect(LengthOfTime(argument: text) == nil)
    }

    @Test(arguments: [
        (0, "now"), (90.0, "in 90 s"), (-90, "90 s ago"), (3600, "in 60 min"), (7200, "in 2 h"), (7169, "in 119 min"),
        (7199, "in 2 h"), (119, "in 119 s"), (-172_799, "2 days ago"), (5_183_999, "in 2 months"),
        (62_985_600, "in 2 years"),
        (-172_800, "2 days ago"),
        (259_200, "in 3 days"), (7_776_000, "in 3 months"), (94_608_000, "in 3 years"),
    ])
    func `a time is said in relation to now`(_ seconds: Double, _ text: String) {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        #expect(RelativeTime.text(now.addingTimeInterval(seconds), now: now) == text)
    }

    @Test func `a message of several lines is several lines`() {
        let failure = CommandFailure(.refused, "One.\nTwo \u{1B}[2J.", details: ["Three.\nFour."])
        // On a terminal, the first word has a color.
        #expect(failure.text.hasSuffix(" One.\n  Two \\u{1b}[2J.\n  Three.\n  Four."))
    }

    // The attack: a name or address looks local but is not, so the credential leaves the machine unencrypted.
    @Test(arguments: [
        ("http://127.0.0.1:8080", true), ("http://localhost", true), ("http://[::1]:8080/", true),
        ("http+unix://%2Frun%2Fmortise.sock", true), ("http://127.0.0.1.example.com", false), ("http://[::12]", false),
        ("http://localhost.example.com", false), ("http://127.example", false), ("http://10.0.0.1", false),
        ("http://x.localhost", false),
    ])
    func `only an address of this machine is local`(_ text: String, _ isLocal: Bool) throws {
        let url = try ServerURL(text, from: "--url")
        #expect(url.isLocal == isLocal)
        #expect(!url.isEncrypted)
        #expect(!url.text.hasSuffix("/"))
    }

    @Test func `only a text in the form of a complete token counts as a token`() {
        let token = "mks_live_" + String(repeating: "a", count: 46)
        for arguments in [[token], ["--x=\(token)"], ["a", "q\(token)z"]] {
            #expect(throws: CommandFailure.self) { try ArgumentGuard.check(arguments) }
        }
        for text in ["mks_live_abcdefghijkl", "my_test_environment", "_live_", ""] {
            #expect(throws: Never.self) { try ArgumentGuard.check([text]) }
        }
    }
}
