import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Server
import ServerTestSupport
import TestSupport
import Testing

/// A browser as far as the console's security needs one: cookies, forms, and the header fields that a page cannot forge.
final class Browser {
    private let mortise: ServerHarness
    /// Follows no redirects, because tests look at them.
    private let client: HTTPClient
    private(set) var cookies: [String: String] = [:]
    /// The names of the cookies that come with a link of another site.
    private var lax: Set<String> = []

    init(_ mortise: ServerHarness, _ client: HTTPClient) {
        self.mortise = mortise
        self.client = client
    }

    /// A page, as the browser got it.
    struct Page {
        let status: Int
        let headers: HTTPHeaders
        let text: String

        /// The path of a redirect.
        var location: String? { headers.first(name: "Location") }

        /// Returns the value of a hidden field.
        func field(_ name: String, at location: SourceLocation = #_sourceLocation) throws -> String {
            let parts = text.components(after: "name=\"\(name)\" value=\"")
            return String(
                try #require(parts, "no field \(name) in \(text)", sourceLocation: location).prefix { $0 != "\"" }
            )
        }

        /// The text of the element with a role, without tags.
        func element(_ role: String) -> String? {
            guard let rest = text.components(after: "role=\"\(role)\"") else { return nil }
            return String(rest.drop { $0 != ">" }.prefix(600)).replacing(#/<[^>]*>/#, with: " ")
        }
    }

    /// The origin of the server, as the browser sees it.
    var origin: String { mortise.api.url }

    /// Sets a cookie, as an attacker with a copy does.
    func set(_ name: String, _ value: String?) { cookies[name] = value }

    /// Loads a page.
    ///
    /// - Parameters:
    ///   - path: The path and the query.
    ///   - headers: More header fields.
    ///   - onlyLax: True for a link of another site, with which no cookie comes that is `Strict`.
    /// - Returns: The page.
    /// - Throws: The errors of the connection.
    func get(_ path: String, headers: [(String, String)] = [], onlyLax: Bool = false) async throws -> Page {
        try await send("GET", path, nil, headers, onlyLax: onlyLax)
    }

    /// Sends a form from a page of the console.
    func post(
        _ path: String,
        _ fields: [(String, String)],
        headers: [(String, String)]? = nil
    ) async throws -> Page {
        try await send("POST", path, fields, headers ?? [("Origin", origin), ("Sec-Fetch-Site", "same-origin")])
    }

    private func send(
        _ method: String,
        _ path: String,
        _ fields: [(String, String)]?,
        _ headers: [(String, String)],
        onlyLax: Bool = false
    ) async throws -> Page {
        var request = HTTPClientRequest(url: origin + path)
        request.method = HTTPMethod(rawValue: method)
        let cookies = self.cookies.filter { !onlyLax || lax.contains($0.key) }
        if !cookies.isEmpty {
            let text = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
            request.headers.add(name: "Cookie", value: text)
        }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let fields {
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            let body = fields.map { "\(Self.encode($0.0))=\(Self.encode($0.1))" }.joined(separator: "&")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let (response, buffer) = try await waiting(for: "an answer to \(method) \(path)") { [request] in
            let response = try await client.execute(request, timeout: .hours(1))
            return (response, try await response.body.collect(upTo: 8 << 20))
        }
        for value in response.headers["Set-Cookie"] {
            let pair = value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            self.cookies[String(pair[0])] = value.contains("Max-Age=0") ? nil : String(pair[1])
            if value.contains("SameSite=Lax") { lax.insert(String(pair[0])) }
        }
        return Page(status: Int(response.status.code), headers: response.headers, text: String(buffer: buffer))
    }

    private static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            encoded += isPlain ? String(Unicode.Scalar(byte)) : "%\(digits.count == 1 ? "0" : "")\(digits)"
        }
        return encoded
    }

    // MARK: Flows

    /// Signs in.
    @discardableResult
    func signIn(
        _ email: String,
        _ password: String = ServerHarness.memberPassword,
        next: String = "/console/"
    ) async throws -> Page {
        let page = try await get("/console/sign-in")
        return try await post(
            "/console/sign-in",
            [("csrf", try page.field("csrf")), ("next", next), ("email", email), ("password", password)]
        )
    }

    /// Signs out and in again, as in another tab.
    func signInAgain(_ email: String) async throws {
        let out = try await submit("/console/settings", to: "/console/sign-out")
        try #require(out.status == 303, "\(out.text)")
        let page = try await signIn(email)
        try #require(page.status == 303, "\(page.text)")
    }

    /// Sends a form of a page with its token, and with its ticket if it has one.
    func submit(_ form: String, to path: String, _ fields: [(String, String)] = []) async throws -> Page {
        let page = try await get(form)
        var hidden = [("csrf", try page.field("csrf"))]
        if page.text.contains("name=\"ticket\"") { hidden.append(("ticket", try page.field("ticket"))) }
        return try await post(path, hidden + fields)
    }

    /// Creates a service key in the default workspace.
    func createKey(_ name: String, _ fields: [(String, String)] = []) async throws -> Page {
        let path = "/console/workspaces/default/keys/new"
        let settings = [("name", name), ("mode", "live"), ("type", "service"), ("ends", "never")]
        return try await submit(
            path,
            to: path,
            settings.filter { field in !fields.contains { $0.0 == field.0 } } + fields
        )
    }
}

extension String {
    /// Returns the text after the first occurrence of a text.
    func components(after text: String) -> String? {
        guard let range = firstRange(of: text) else { return nil }
        return String(self[range.upperBound...])
    }

    /// The hidden fields of the first form of a page, as a browser sends them.
    var hiddenFields: [(String, String)] {
        prefix(upTo: firstRange(of: "</form>")?.lowerBound ?? endIndex)
            .matches(of: #/<input type="hidden" name="([^"]*)" value="([^"]*)">/#)
            .map { match in
                var value = String(match.2)
                for (entity, text) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
                    value = value.replacing(entity, with: text)
                }
                return (String(match.1), value)
            }
    }

    /// The token in a page, if it has one.
    var token: String? { components(after: "type=\"text\" value=\"mk").map { "mk" + $0.prefix { $0 != "\"" } } }
}

/// A running server, and browsers for it.
struct ConsoleHarness: Sendable {
    let mortise: ServerHarness
    let client: HTTPClient

    /// Returns a browser without a session.
    func browser() -> Browser { Browser(mortise, client) }

    /// Returns the browser of a new member, who is signed in.
    func browser(_ email: String, _ role: String, workspace: String? = nil) async throws -> Browser {
        _ = try await mortise.addMember(email, role, workspace: workspace)
        let browser = browser()
        let page = try await browser.signIn(email)
        try #require(page.status == 303, "\(page.text)")
        return browser
    }

    /// Returns the browser of an operator, who is signed in.
    func operatorBrowser() async throws -> Browser {
        let browser = browser()
        let page = try await browser.get("/console/platform/sign-in")
        let fields = [("csrf", try page.field("csrf")), ("key", mortise.operatorToken)]
        let signedIn = try await browser.post("/console/platform/sign-in", fields)
        try #require(signedIn.status == 303, "\(signedIn.text)")
        return browser
    }
}

/// Runs a separate server for one test of the console.
func withConsole<T: Sendable>(
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (ConsoleHarness) async throws -> T
) async throws -> T {
    try await withInstallation { try await withConsole(of: $0, configure: configure, body) }
}

/// Runs a server of an installation for a test of the console.
func withConsole<T: Sendable>(
    of installation: TestInstallation,
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (ConsoleHarness) async throws -> T
) async throws -> T {
    let client = HTTPClient(
        eventLoopGroupProvider: .singleton,
        configuration: HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .hours(1)),
            decompression: .disabled
        )
    )
    do {
        let value = try await withMortise(of: installation, configure: configure) {
            try await body(ConsoleHarness(mortise: $0, client: client))
        }
        try await client.shutdown()
        return value
    } catch {
        try? await client.shutdown()
        throw error
    }
}
