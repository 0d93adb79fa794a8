import FoundationEssentials
import HTTPTestSupport
import JSON
import Locks
import Notices
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Reports of GitHub's secret scanning.
@Suite(.hangLimit) struct GitHubLeakTests {
    /// Runs a server that knows a signer's key by a file.
    private static func withSigner(
        configure: @Sendable (inout ServerConfiguration) -> Void = { _ in },
        _ body: @Sendable (ServerHarness, GitHubSigner) async throws -> Void
    ) async throws {
        let signer = GitHubSigner("k1")
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write(GitHubSigner.list([signer]), to: "\(folder)/keys.json")
            try await withMortise(configure: {
                $0.leaks.gitHubKeys = .file("\(folder)/keys.json")
                configure(&$0)
            }) {
                try await body($0, signer)
            }
        }
    }

    // The attack: GitHub finds a live token, among others that are none of this installation.
    @Test func `a signed report is labelled, and its tokens are handled`() async throws {
        try await Self.withSigner { mortise, signer in
            let key = try await mortise.makeKey("a")
            let strangers = LeakTests.strangers(of: key.token)
            let tokens = [key.token] + strangers + ["mks_live_nothing", key.token]
            let answer = try await signer.send(
                GitHubSigner.payload(tokens, url: "https://github.com/x?t=\(key.token)"),
                to: mortise
            )
            let others = Array(repeating: "false_positive", count: strangers.count + 1)
            #expect(answer.status == 200 && answer.labels == ["true_positive"] + others + ["true_positive"])
            #expect(answer.json.array?.compactMap { $0["token_raw"]?.string } == tokens)
            #expect(answer.json.array?.allSatisfy { $0["token_type"] == "mortise_token" } == true)
            #expect(try await mortise.verdict(key.token) == "revoked")
            let details = try #require(try await mortise.leaks(key.path).first)
            #expect(details["source"] == "github" && details["action"] == "revoke")
            // GitHub names the place, which can have the token itself.
            #expect(details["url"]?.string?.hasPrefix("https://github.com/x?t=mks_live_") == true)
            #expect(!details.text.contains(key.token.dropFirst(16)))
        }
    }

    // The attack: a report that GitHub has not signed, or that somebody has changed.
    @Test func `a report of GitHub counts with its signature alone`() async throws {
        try await Self.withSigner { mortise, signer in
            let key = try await mortise.makeKey("a")
            let body = GitHubSigner.payload([key.token])
            var refused = [
                try await GitHubSigner("k1").send(body, to: mortise),
                try await signer.send(body, signing: body + " ", to: mortise),
                try await signer.send(body + " ", signing: body, to: mortise),
                try await signer.send(body, as: "k2", to: mortise),
                try await mortise.api.send("POST", "/v1/leaks/github", raw: body, as: nil),
                // An operator's credential is no signature.
                try await mortise.api.send("POST", "/v1/leaks/github", raw: body, as: mortise.operatorToken),
            ]
            let valid = try signer.signature(of: body)
            for signature in ["", "x", String(valid.dropLast(8)), "AAAA\(valid)"] {
                refused.append(
                    try await mortise.api.send(
                        "POST",
                        "/v1/leaks/github",
                        raw: body,
                        as: nil,
                        headers: [
                            ("Github-Public-Key-Identifier", "k1"), ("Github-Public-Key-Signature", signature),
                        ]
                    )
                )
            }
            for answer in refused { #expect(answer.status == 401, "\(answer)") }
            #expect(Set(refused.compactMap { $0["detail"]?.string }).count == 1)
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(try await mortise.events(key.path) == ["created"])
            #expect(try await signer.send(body, to: mortise).labels == ["true_positive"])
        }
    }

    // The attack: a report that somebody has signed with a key of his own.
    @Test func `without a setting, every report of GitHub is refused`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("a")
            #expect(try await GitHubSigner("k1").send(GitHubSigner.payload([key.token]), to: mortise).status == 401)
            #expect(try await mortise.verdict(key.token) == "valid")
        }
    }

    // The attack: somebody records a report, and sends it again after the owner has decided.
    @Test func `a report that comes again changes nothing more`() async throws {
        try await Self.withSigner { mortise, signer in
            try await mortise.choose("quarantine")
            let key = try await mortise.makeKey("a")
            #expect(try await mortise.verdict(key.token, ["address": "192.0.2.7"]) == "valid")
            let body = GitHubSigner.payload([key.token])
            #expect(try await signer.send(body, to: mortise).labels == ["true_positive"])
            #expect(try await mortise.verdict(key.token, ["address": "192.0.2.8"]) == "wrong_address")
            let opened: JSONValue = ["allowed_ips": ["192.0.2.0/24"]]
            _ = try await mortise.api.send("PATCH", key.path, opened, as: mortise.adminToken)
            let events = try await mortise.events(key.path)
            #expect(try await signer.send(body, to: mortise).labels == ["true_positive"])
            #expect(try await mortise.verdict(key.token, ["address": "192.0.2.8"]) == "valid")
            #expect(try await mortise.events(key.path) == events)
        }
    }

    // The attack: a signed report that makes a server fail.
    @Test func `a report without entries, or of another form, is refused`() async throws {
        try await Self.withSigner { mortise, signer in
            for body in ["[]", "{}", "null"] {
                let answer = try await signer.send(body, to: mortise)
                #expect(answer.status == 400 && answer.code == "invalid_request", "\(answer)")
            }
        }
    }

    // The attack: whoever leaks a key puts something beside it that makes the report unreadable, such as a URL without an end.
    @Test func `a genuine token is handled beside entries that are none`() async throws {
        try await Self.withSigner { mortise, signer in
            let entries = [
                "1", "null", "[]", "{}", #"{"token":5}"#, #"{"token":null}"#, #"{"token":{}}"#,
                #"{"type":"mortise_token"}"#, #"{"token":"","type":[],"url":7}"#, #"{"token":"a\u0000"}"#,
                #"{"token":"\#(String(repeating: "x", count: 20_000))"}"#,
            ]
            let long = "https://github.com/" + String(repeating: "y", count: 20_000)
            let odd = #"{"type":5,"url":["x"],"more":{}}"#
            let places = [
                ("long", #"{"type":"\#(long)","url":"\#(long)"}"#), ("odd", odd),
                ("with U+0000", #"{"type":"\u0000","url":"https://github.com/\u0000/x"}"#),
            ]
            for (name, place) in places {
                let key = try await mortise.makeKey(name)
                let own = "{\"token\":\"\(key.token)\"," + String(place.dropFirst())
                let body = "[" + (entries + [own] + entries.reversed()).joined(separator: ",") + "]"
                let answer = try await signer.send(body, to: mortise)
                // The entries with a text are labelled, in their order.
                let others = Array(repeating: "false_positive", count: 3)
                #expect(answer.status == 200 && answer.labels == others + ["true_positive"] + others, "\(name)")
                #expect(try await mortise.verdict(key.token) == "revoked", "\(name)")
                let leak = try #require(try await mortise.leaks(key.path).first, "\(name)")
                switch name {
                case "long": #expect(leak["url"]?.string == String(long.prefix(2048)))
                case "odd": #expect(leak["url"]?.string == nil)
                default: #expect(leak["url"]?.string == "https://github.com//x")
                }
            }
        }
    }

    // The attack: a commit with so many texts that the report of a key among them is refused.
    @Test func `a genuine token is handled after as many other texts as a report has room for`() async throws {
        try await Self.withSigner { mortise, signer in
            let key = try await mortise.makeKey("a")
            let others = String(repeating: "{\"token\":\"a\"},", count: 70_000)
            let answer = try await signer.send("[\(others){\"token\":\"\(key.token)\"}]", to: mortise)
            #expect(answer.status == 200)
            let labels = answer.labels
            #expect(labels.count == 70_001 && labels.last == "true_positive")
            #expect(try await mortise.verdict(key.token) == "revoked")
        }
    }

    // The attack: a stranger sends bodies that cost a lot to parse, and validate, and learns the rules of a report.
    @Test func `a body without a valid signature is not parsed`() async throws {
        try await Self.withSigner { mortise, signer in
            let dense = "[" + String(repeating: "[],", count: 300_000) + "[]]"
            for body in ["{", "{}", "[\(dense)"] {
                let raw = try await mortise.api.send("POST", "/v1/leaks/github", raw: body, as: nil)
                #expect(raw.status == 401, "\(raw)")
                let forged = try await GitHubSigner("k1").send(body, to: mortise)
                #expect(forged.status == 401, "\(forged)")
                let signed = try await signer.send(body, to: mortise)
                #expect(signed.status == 400, "\(signed)")
            }
        }
    }

    // The attack: a stranger lets the server hash a megabyte as often as possible.
    @Test func `an address has 100 reports with a bad signature in 15 minutes, and other addresses have their own`()
        async throws
    {
        let time = TestTime()
        try await Self.withSigner {
            $0.trustLoopback()
            $0.elapsed = { time.shift }
        } _: { mortise, signer in
            let body = GitHubSigner.payload(["hello"])
            let stranger = GitHubSigner("k1")
            for _ in 0..<100 {
                let answer = try await stranger.send(body, to: mortise, from: "192.0.2.1")
                #expect(answer.status == 401, "\(answer)")
            }
            // The signature is not looked at any more, not even a good one.
            for signer in [stranger, signer] {
                let answer = try await signer.send(body, to: mortise, from: "192.0.2.1")
                #expect(answer.status == 429 && answer.code == "rate_limited", "\(answer)")
                #expect(answer.headers["retry-after"] != nil)
            }
            // Good signatures do not count.
            for _ in 0..<101 { #expect(try await signer.send(body, to: mortise, from: "192.0.2.2").status == 200) }
            time.pass(.seconds(900))
            #expect(try await signer.send(body, to: mortise, from: "192.0.2.1").status == 200)
        }
    }

    // The accident: the database of a tenant is down, and GitHub is told that the token is none.
    @Test func `a report that could not be handled is answered so that GitHub sends it again`() async throws {
        try await Self.withSigner { mortise, signer in
            let key = try await mortise.makeKey("a")
            let body = GitHubSigner.payload([key.token])
            let database = try await mortise.workspaceDatabase()
            try await mortise.cutOff(database)
            let answer = try await signer.send(body, to: mortise)
            #expect(answer.status == 503, "\(answer)")
            // A stranger does not learn that the workspace exists.
            #expect(try await mortise.report([key.token]).status == 202)
            try await mortise.restore(database)
            try await eventually("the database is reached again") {
                try await signer.send(body, to: mortise).labels == ["true_positive"]
            }
            try await eventually("the key is revoked") { try await mortise.status(key.path) == "revoked" }
        }
    }

    // The accident: GitHub rotates its keys. The attack: everybody can name a key that does not exist.
    @Test func `GitHub's keys are fetched once an hour, and for an unknown key once a minute`() async throws {
        let (old, new) = (GitHubSigner("k1"), GitHubSigner("k2"))
        let published = Locked([old])
        let time = TestTime()
        try await ScriptedServer.with { _ in
            .json(GitHubSigner.list(published.withLock { $0 }))
        } _: { gitHub in
            try await withMortise(configure: {
                $0.leaks.gitHubKeys = .url("\(gitHub.url)/keys")
                $0.elapsed = { time.shift }
            }) { mortise in
                let body = GitHubSigner.payload(["hello"])
                for _ in 0..<3 { #expect(try await old.send(body, to: mortise).status == 200) }
                #expect(gitHub.requests.map(\.uri) == ["/keys"])
                published.withLock { $0 = [old, new] }
                for _ in 0..<3 { #expect(try await new.send(body, to: mortise).status == 401) }
                #expect(gitHub.requests.count == 1)
                time.pass(.seconds(61))
                for _ in 0..<2 { #expect(try await new.send(body, to: mortise).status == 200) }
                #expect(gitHub.requests.count == 2)
                time.pass(.seconds(61))
                for _ in 0..<3 { #expect(try await old.send(body, as: "k3", to: mortise).status == 401) }
                #expect(gitHub.requests.count == 3)
                // A key that GitHub has withdrawn signs no more after an hour.
                published.withLock { $0 = [new] }
                time.pass(.seconds(3601))
                _ = try await old.send(body, to: mortise)
                try await eventually("the list is read again") { try await old.send(body, to: mortise).status == 401 }
                #expect(try await new.send(body, to: mortise).status == 200)
            }
        }
    }

    // The accident: GitHub's list cannot be read when the first report comes.
    @Test func `without any known key, a report is answered so that GitHub sends it again`() async throws {
        let signer = GitHubSigner("k1")
        let isUp = Locked(false)
        let time = TestTime()
        try await ScriptedServer.with { _ in
            isUp.withLock { $0 } ? .json(GitHubSigner.list([signer])) : .answer(500, "no")
        } _: { gitHub in
            try await withMortise(configure: {
                $0.leaks.gitHubKeys = .url("\(gitHub.url)/keys")
                $0.elapsed = { time.shift }
            }) { mortise in
                let body = GitHubSigner.payload(["hello"])
                for _ in 0..<2 {
                    let answer = try await signer.send(body, to: mortise)
                    #expect(answer.status == 503)
                }
                #expect(gitHub.requests.count == 1)
                isUp.withLock { $0 = true }
                time.pass(.seconds(6))
                let answer = try await signer.send(body, to: mortise)
                #expect(answer.status == 200)
            }
        }
    }
}
