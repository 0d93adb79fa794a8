import FoundationEssentials
import Glibc
import HTTPTestSupport
import MortiseClient
import TestSupport
import Testing

/// `mortise login`, `logout`, `whoami` and the profiles.
@Suite(.hangLimit) struct ProfileTests {
    private static let me = """
        {"type":"member","key_id":null,"name":"Ada","organization_id":"o-1","permissions":["keys:read"],"session_id":"s-1",\
        "user":{"id":"u-1","email":"ada@example.com","name":"Ada","has_password":true},"memberships":[]}
        """

    private static func session(_ number: Int, seconds: Int = 900) -> String {
        """
        {"access_token":"access-\(number)","token_type":"Bearer","expires_in":\(seconds),\
        "expires_at":"2030-01-31T12:34:56Z","refresh_token":"refresh-\(number)","session_id":"s-1","organization_id":"o-1",\
        "user":{"id":"u-1","email":"ada@example.com","name":"Ada","has_password":true},"memberships":[]}
        """
    }

    /// Runs the program with a home of its own.
    private func run(
        _ arguments: [String],
        home: String,
        server: ScriptedServer? = nil,
        environment: [String: String] = [:],
        input: String = ""
    ) async throws -> Outcome {
        try await Program.run(
            arguments,
            server: server,
            environment: ["HOME": home].merging(environment) { $1 },
            input: input
        )
    }

    private func file(_ home: String) -> String { "\(home)/.config/mortise/profiles.json" }

    private static func answer(_ request: SeenRequest) -> Reply {
        switch (request.method, request.uri) {
        case ("POST", "/v1/sessions"): .answer(201, session(1))
        case ("POST", "/v1/sessions/refresh"): .json(session(2))
        case ("DELETE", "/v1/sessions/current"): .answer(204, "")
        case ("GET", "/v1/me"): .json(me)
        default: Sample.list([])
        }
    }

    @Test func `a login keeps the session in a file that only its owner reads, and later commands use it`() async throws
    {
        try await TemporaryFolder.with { home in
            try await ScriptedServer.with(Self.answer) { server in
                TemporaryFolder.write("correct horse battery\n", to: "\(home)/password")
                let login = try await run(
                    ["login", "ada@example.com", "--organization", "acme", "--password-file", "\(home)/password"],
                    home: home,
                    server: server
                )
                #expect(login.code == 0, "\(login.everything)")
                #expect(login.output.contains("ada@example.com") && !login.everything.contains("access-1"))
                #expect(
                    server.requests.map(\.body) == [
                        #"{"email":"ada@example.com","password":"correct horse battery","organization":"acme"}"#
                    ]
                )
                #expect(server.requests.first?.header("authorization") == [])
                #expect(TemporaryFolder.mode(file(home)) == 0o600)
                // The profile has the URL, too.
                let list = try await run(["key", "list", "--workspace", "shop"], home: home)
                #expect(list.code == 0, "\(list.everything)")
                #expect(server.requests.last?.header("authorization") == ["Bearer access-1"])
                let who = try await run(["whoami"], home: home)
                #expect(who.output.contains("ada@example.com (member)") && who.output.contains(server.url))
                #expect(who.output.contains("the profile default"))
                let profiles = try await run(["profile", "list", "--json"], home: home)
                #expect(profiles.output == #"[{"name":"default","url":"\#(server.url)","is_current":true}]"# + "\n")
                let logout = try await run(["logout"], home: home)
                #expect(logout.code == 0, "\(logout.everything)")
                #expect(server.requests.last?.uri == "/v1/sessions/current")
                #expect(TemporaryFolder.text(file(home))?.contains("access-1") == false)
                #expect(try await run(["whoami"], home: home).code == 64)
            }
        }
    }

    // The fault: the organization has a typing error, and the member doubts the password.
    @Test func `a refused login with --organization asks if that is right`() async throws {
        try await TemporaryFolder.with { home in
            TemporaryFolder.write("right", to: "\(home)/password")
            let login = ["login", "ada@example.com", "--password-file", "\(home)/password"]
            try await ScriptedServer.with({ _ in
                Sample.problem(401, "unauthorized", "The address or the password is wrong.")
            }) { server in
                let named = try await run(login + ["--organization", "defalt"], home: home, server: server)
                #expect(
                    named.code == 1 && named.errors.contains("Is the organization defalt right?"),
                    "\(named.errors)"
                )
                let plain = try await run(login, home: home, server: server)
                #expect(plain.code == 1 && !plain.errors.contains("organization"), "\(plain.errors)")
            }
        }
    }

    // The attack: somebody looks over the user's shoulder or scrolls back in the terminal.
    @Test func `a login asks on the terminal and does not show the password`() async throws {
        try await TemporaryFolder.with { home in
            try await ScriptedServer.with(Self.answer) { server in
                let (code, screen) = try await PseudoTerminal.run(
                    ["login"],
                    server: server,
                    environment: ["HOME": home],
                    answers: [("address: ", "ada@example.com\r"), ("Password: ", "correct horse battery\r")]
                )
                #expect(code == 0, "\(screen)")
                #expect(!screen.contains("horse"))
                #expect(server.requests.first?.body.contains("correct horse battery") == true)
            }
        }
    }

    // The attack: another user of the machine reads the file, or a backup made it readable.
    @Test(arguments: [mode_t(0o644), 0o640, 0o604, 0o660])
    func `a profiles file that others can read is refused, and nothing is sent`(_ mode: mode_t) async throws {
        try await TemporaryFolder.with { home in
            try await ScriptedServer.with(Self.answer) { server in
                #expect(try await login(home, server).code == 0)
                let count = server.requests.count
                try #require(chmod(file(home), mode) == 0)
                let outcome = try await run(["key", "list", "--operator"], home: home)
                #expect(outcome.code == 64)
                #expect(outcome.errors.contains("Other users can read the profiles file"))
                #expect(outcome.errors.contains("chmod 600"))
                #expect(server.requests.count == count)
                // A command that needs no profile goes on.
                let other = try await run(
                    ["key", "list", "--operator"],
                    home: home,
                    server: server,
                    environment: ["MORTISE_TOKEN": "t"]
                )
                #expect(other.code == 0)
            }
        }
    }

    private func login(_ home: String, _ server: ScriptedServer, profile: String? = nil) async throws -> Outcome {
        TemporaryFolder.write("correct horse battery\n", to: "\(home)/password")
        let name = profile.map { ["--profile", $0] } ?? []
        return try await run(
            ["login", "ada@example.com", "--password-file", "\(home)/password"] + name,
            home: home,
            server: server
        )
    }

    // A second use of a refresh token ends the session.
    @Test func `concurrent commands renew a session once, and all of them use the new token`() async throws {
        try await TemporaryFolder.with { home in
            try await ScriptedServer.with({ request in
                request.uri == "/v1/sessions" ? .answer(201, Self.session(1, seconds: 10)) : Self.answer(request)
            }) { server in
                #expect(try await login(home, server).code == 0)
                try await withThrowingTaskGroup(of: Outcome.self) { group in
                    for _ in 0..<4 { group.addTask { try await run(["key", "list", "--workspace", "w"], home: home) } }
                    for try await outcome in group { #expect(outcome.code == 0, "\(outcome.everything)") }
                }
                let renewals = server.requests.filter { $0.uri == "/v1/sessions/refresh" }
                #expect(renewals.map(\.body) == [#"{"refresh_token":"refresh-1"}"#])
                let tokens = server.requests.filter { $0.uri.hasPrefix("/v1/workspaces") }
                    .map { $0.header("authorization") }
                #expect(tokens == Array(repeating: ["Bearer access-2"], count: 4))
                #expect(TemporaryFolder.mode(file(home)) == 0o600)
            }
        }
    }

    @Test func `a session that has ended names the command that begins a new one`() async throws {
        try await TemporaryFolder.with { home in
            try await ScriptedServer.with({ request in
                switch request.uri {
                case "/v1/sessions": .answer(201, Self.session(1, seconds: 10))
                default: Sample.problem(401, "unauthorized", "The refresh token is unknown.")
                }
            }) { server in
                #expect(try await login(home, server, profile: "acme").code == 0)
                let outcome = try await run(["key", "list", "--workspace", "w"], home: home)
                #expect(outcome.code == 64, "\(outcome.everything)")
                #expect(outcome.errors.contains("`mortise login --profile acme`"), "\(outcome.errors)")
            }
        }
    }

    @Test func `the order of credentials is flag, environment, profile`() async throws {
        try await TemporaryFolder.with { home in
            try await ScriptedServer.with(Self.answer) { server in
                for name in ["one", "two"] {
                    TemporaryFolder.write("mka_\(name)", to: "\(home)/\(name)")
                    let login = ["login", "--token-file", "\(home)/\(name)", "--profile", name]
                    #expect(try await run(login, home: home, server: server).code == 0)
                }
                TemporaryFolder.write("from-file", to: "\(home)/f")
                let all = ["MORTISE_TOKEN": "from-variable", "MORTISE_PROFILE": "one"]
                for (arguments, environment, token) in [
                    (["--token-file", "\(home)/f", "--profile", "one"], all, "from-file"),
                    (["--profile", "two"], all, "mka_two"), ([], all, "from-variable"),
                    ([], ["MORTISE_PROFILE": "one"], "mka_one"), ([], [:], "mka_two"),
                ] as [([String], [String: String], String)] {
                    let list = ["key", "list", "--workspace", "w"]
                    let outcome = try await run(list + arguments, home: home, environment: environment)
                    #expect(outcome.code == 0, "\(outcome.everything)")
                    #expect(server.requests.last?.header("authorization") == ["Bearer \(token)"])
                }
                #expect(try await run(["profile", "use", "one"], home: home).code == 0)
                let unknown = try await run(["whoami", "--profile", "tow"], home: home)
                #expect(unknown.code == 64 && unknown.errors.contains("Did you mean two?"), "\(unknown.errors)")
            }
        }
    }

    // The attack: a variable or a habit sends the session of one server to another.
    @Test func `the credential of a profile is sent to the server of the profile alone`() async throws {
        try await TemporaryFolder.with { home in
            try await ScriptedServer.with(Self.answer) { server in
                #expect(try await login(home, server).code == 0)
                try await ScriptedServer.with(Self.answer) { stranger in
                    for (flags, variables) in [
                        (["--url", stranger.url], [:]), ([], ["MORTISE_URL": stranger.url]),
                    ] as [([String], [String: String])] {
                        let outcome = try await run(["whoami"] + flags, home: home, environment: variables)
                        #expect(outcome.code == 64)
                        #expect(outcome.errors.contains("Nothing was sent."))
                    }
                    #expect(stranger.requests.isEmpty)
                }
            }
        }
    }

    @Test func `a wrong password leaves no profile, and is not printed`() async throws {
        try await TemporaryFolder.with { home in
            try await ScriptedServer.with({ _ in
                Sample.problem(401, "unauthorized", "The address or the password is wrong.")
            }) { server in
                let outcome = try await login(home, server)
                #expect(outcome.code == 1)
                #expect(outcome.errors.contains("The address or the password is wrong."))
                #expect(!outcome.everything.contains("horse"))
                #expect(TemporaryFolder.text(file(home)) == nil)
            }
        }
    }
}
