import Connections
import GatewayAPI
import Keys
import Notices
import Server
import Service
import Surfaces
import TestSupport
import Testing
import mortise

/// Settings come from flags, variables and a settings file, in this order of precedence.
@Suite(.hangLimit) struct SettingsTests {
    static let operatorKey = make(.operator)
    static let adminKey = make(.admin)

    static func make(_ kind: KeyKind) -> Token {
        var random = SystemRandomNumberGenerator()
        return Token.make(prefix: kind.defaultPrefix, mode: .live, workspace: .root, using: &random)
    }

    private func serve(
        _ environment: [String: String] = [:],
        file: String? = nil,
        flags: [SettingFlag] = []
    ) throws(CommandFailure) -> ServeSettings {
        let file = try file.map { text throws(CommandFailure) in
            try SettingsFile(parsing: Array(text.utf8), path: "/etc/m.yaml")
        }
        return try ServeSettings(
            SettingReader(flags: flags, environment: environment, file: file),
            isTerminal: false
        )
    }

    /// A value for each setting that can be combined with the values of the others.
    private static let values = [
        "database_url": "postgresql://u:pw@db/x", "data": "/d", "listen": "[::]:1",
        "tls_certificate": "/c.pem", "tls_key": "/k.pem", "pepper_file": "/p",
        "operator_key": operatorKey.reveal(), "admin_key": adminKey.reveal(), "log_level": "debug",
        "log_format": "text", "access_log": "off", "span_log": "sampled", "postgres_bin": "/b", "threads": "3",
        "shutdown_grace": "0",
        "lookup_workspaces": "100", "managed_workspaces": "20", "drain_delay": "7",
        "keys_per_workspace": "11", "keys_per_subject": "12", "admin_keys_per_organization": "13",
        "workspaces_per_organization": "14", "webhooks_per_organization": "15",
        "waiting_deliveries_per_organization": "16", "list_bytes": "65537", "cache_bytes": "0", "event_days": "90",
        "trusted_proxies": "10.0.0.0/8, ::1",
        "gateway_listen": "10.0.0.1:9, unix:/s;proxy", "grpc_listen": "10.0.0.1:10", "gateway_open": "true",
        "operations_listen": "127.0.0.1:9464",
        "public_url": "https://keys.example.com", "webhook_allow": "10.1.0.0/16",
        "leaks_github_keys_file": "/g", "leaks_github_keys_url": "https://api.github.example/keys",
        "public_operations": "off", "maximum_connections": "500", "head_timeout": "1", "body_timeout": "2",
        "idle_timeout": "3", "answer_timeout": "4", "keys_out": "/k",
        "admin_email": "Ada@example.org", "admin_password": "correct horse battery",
        "oidc_issuer": "https://login.example.com/realms/acme", "oidc_client_id": "mortise",
        "oidc_client_secret": "a client secret", "oidc_name": "Acme", "passwords": "off",
    ]

    private func expectValues(_ settings: ServeSettings) throws {
        #expect(try settings.clients == ClientAddresses(trusting: [AddressRange("10.0.0.0/8"), AddressRange("::1")]))
        #expect(settings.installation.database == .server(SecretText("postgresql://u:pw@db/x")))
        #expect(settings.installation.dataFolder == "/d")
        #expect(settings.listen == .tcp(host: "::", port: 1))
        #expect(settings.tls == ServerCertificate.Files(certificate: "/c.pem", key: "/k.pem"))
        #expect(settings.gateway.isOpen)
        #expect(settings.gateway.rpcAddresses == [GatewayAddress(.tcp(host: "10.0.0.1", port: 10))])
        #expect(settings.operations == .tcp(host: "127.0.0.1", port: 9464))
        #expect(
            settings.gateway.addresses == [
                GatewayAddress(.tcp(host: "10.0.0.1", port: 9)),
                GatewayAddress(.unixSocket(path: "/s"), hasProxyHeader: true),
            ]
        )
        #expect(settings.installation.secretsFile == "/p")
        #expect(settings.operatorKey == SettingsTests.operatorKey && settings.adminKey == SettingsTests.adminKey)
        #expect("\(settings.log.level)" == "debug" && settings.log.format == .text && settings.log.access == .off)
        #expect(settings.log.spans == .sampled)
        #expect(settings.connections.threads == 3)
        #expect(settings.connections.lookupWorkspaces == 100 && settings.connections.managedWorkspaces == 20)
        #expect(settings.shutdownGrace == .zero && settings.drainDelay == .seconds(7))
        #expect(settings.quotas.keysPerWorkspace == 11 && settings.quotas.keysPerSubject == 12)
        #expect(settings.quotas.adminKeysPerOrganization == 13 && settings.quotas.workspacesPerOrganization == 14)
        #expect(settings.quotas.webhooksPerOrganization == 15)
        #expect(settings.quotas.waitingDeliveriesPerOrganization == 16)
        #expect(settings.quotas.listBytes == 65_537 && settings.eventDays == 90)
        #expect(settings.cacheBytes == 0)
        #expect(try settings.firstMember == FirstMember(email: "ada@example.org", password: "correct horse battery"))
        let provider = IdentityProvider(
            issuer: "https://login.example.com/realms/acme",
            clientID: "mortise",
            clientSecret: ClientSecret("a client secret"),
            name: "Acme"
        )
        #expect(settings.signIn == SignInSettings(provider: provider, passwords: .off))
        #expect(settings.publicURL == "https://keys.example.com")
        #expect(try settings.webhookAllow == [AddressRange("10.1.0.0/16")])
        #expect(settings.gitHubKeys == .file("/g"))
        #expect(!settings.publishesOperations && settings.keysFile == "/k")
        let limits = settings.clientConnections.limits
        #expect(settings.clientConnections.hasMaximum && limits.maximum == 500)
        #expect(limits.head == .seconds(1) && limits.body == .seconds(2))
        #expect(limits.idle == .seconds(3) && limits.answer == .seconds(4))
        #expect(settings.installation.warnings == [])
    }

    @Test func `every setting has its default`() throws {
        let settings = try serve(["MORTISE_DATABASE_URL": "", "MORTISE_LISTEN": ""])
        #expect(settings.installation.database == .own(binaries: nil))
        #expect(settings.installation.dataFolder == ".mortise")
        #expect(settings.installation.secretsFile == nil)
        #expect(settings.installation.settingsFile == nil && settings.installation.warnings == [])
        #expect(settings.listen == .tcp(host: "127.0.0.1", port: 8080))
        #expect(settings.gateway == GatewayListener.Configuration())
        #expect(settings.operations == nil)
        #expect(settings.clients == ClientAddresses())
        #expect(settings.operatorKey == nil && settings.adminKey == nil)
        #expect("\(settings.log.level)" == "info" && settings.log.format == .json && settings.log.access == .management)
        #expect(settings.connections.threads == ServingThreads.defaultCount)
        #expect(settings.connections.lookupWorkspaces == nil && settings.connections.managedWorkspaces == 8)
        #expect(settings.shutdownGrace == .seconds(30) && settings.drainDelay == .zero)
        #expect(settings.publishesOperations && settings.keysFile == nil)
        #expect(settings.clientConnections.limits == ConnectionLimits() && !settings.clientConnections.hasMaximum)
    }

    @Test func `every variable is read`() throws {
        let variables = Dictionary(
            uniqueKeysWithValues: Self.values.map { ("MORTISE_" + $0.key.uppercased(), $0.value) }
        )
        try expectValues(try serve(variables))
        #expect(try serve(["MORTISE_POSTGRES_BIN": "/b"]).installation.database == .own(binaries: "/b"))
        #expect(Set(Self.values.keys) == Set(Settings.members.map(\.member)), "a setting has no value here")
    }

    @Test func `every member of a settings file is read`() throws {
        let lines = Self.values.map { "\($0.key): \"\($0.value)\"" }
        let settings = try serve(file: lines.joined(separator: "\n"))
        try expectValues(settings)
        #expect(settings.installation.settingsFile == "/etc/m.yaml")
        #expect(try serve(file: "postgres_bin: /b").installation.database == .own(binaries: "/b"))
    }

    @Test func `every flag is in the help and is read`() async throws {
        let help = try await Program.run(["serve", "--help"]).output.replacing(/\s+/, with: " ")
        for setting in Settings.members {
            #expect(help.contains(" \(setting.flag) <\(setting.placeholder)>"), "\(setting.flag)")
            #expect(help.contains("Environment: \(setting.variable)."), "\(setting.variable)")
        }
        // A flag that is read wins over its variable.
        let wrong = [
            "--listen", "--gateway-listen", "--grpc-listen", "--gateway-open", "--operations-listen",
            "--trusted-proxies", "--webhook-allow", "--leaks-github-keys-url", "--log-level",
            "--log-format",
            "--access-log", "--span-log", "--threads",
            "--lookup-workspaces", "--managed-workspaces", "--drain-delay", "--shutdown-grace", "--admin-email",
            "--keys-per-workspace", "--keys-per-subject", "--admin-keys-per-organization",
            "--workspaces-per-organization", "--webhooks-per-organization", "--waiting-deliveries-per-organization",
            "--list-bytes", "--cache-bytes", "--event-days",
            "--public-operations", "--maximum-connections", "--head-timeout", "--body-timeout", "--idle-timeout",
            "--answer-timeout", "--public-url", "--oidc-issuer", "--oidc-client-id", "--oidc-name", "--passwords",
            "--tls-certificate", "--tls-key",
        ]
        let files = Settings.members.filter(\.isSecret).map(\.flag)
        for flag in wrong + files {
            let outcome = try await Program.run(["serve", flag, "/no/such"])
            #expect(outcome.code == 64 && outcome.errors.contains(flag), "\(flag): \(outcome.everything)")
        }
        for flag in ["--pepper-file", "--data", "--settings"] {
            let outcome = try await Program.run(["migrate", flag, "/no/such"])
            #expect(outcome.code == 64 && outcome.errors.contains("/no/such"), "\(flag): \(outcome.everything)")
        }
        // `KeysOutTests` covers the file of the first keys, which any path can name.
        let covered = Set(
            wrong + files + ["--pepper-file", "--data", "--postgres-bin", "--keys-out", "--leaks-github-keys-file"]
        )
        #expect(covered == Set(Settings.members.map(\.flag)), "a flag is not covered")
    }

    @Test func `a flag wins over its variable, and a variable over the file`() throws {
        let flag = SettingFlag(Settings.listen.declaration, "127.0.0.1:1")
        let variables = ["MORTISE_LISTEN": "127.0.0.1:2", "MORTISE_THREADS": "2"]
        let file = "listen: 127.0.0.1:3\nthreads: 3\ndrain_delay: 3"
        let settings = try serve(variables, file: file, flags: [flag])
        #expect(settings.listen == .tcp(host: "127.0.0.1", port: 1))
        #expect(settings.connections.threads == 2)
        #expect(settings.drainDelay == .seconds(3))
    }

    @Test func `a flag of the program wins over its variable`() async throws {
        let outcome = try await Program.run(
            ["serve", "--listen", "nonsense"],
            environment: ["MORTISE_LISTEN": "127.0.0.1:1"]
        )
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("--listen is \"nonsense\""))
    }

    @Test func `an invalid trusted proxy is reported before the server starts`() async throws {
        let outcome = try await Program.run(["serve", "--trusted-proxies", "10.0.0.0/8, 192.168.1.1/16"])
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("--trusted-proxies: \"192.168.1.1/16\" cannot be trusted."))
        #expect(outcome.errors.contains("Did you mean 192.168.0.0/16?"))
    }

    // The fault: a listener that asks for no credential, on an address that strangers reach.
    @Test func `an address for gateways that other machines can reach needs a setting that says so`() throws {
        for address in [
            "0.0.0.0:9000", "10.0.0.1:9000", "[::]:9000", "gateway.internal:9000", "127.0.0.1:1, 10.0.0.1:1",
        ] {
            let failure = try #require(throws: CommandFailure.self) { try serve(["MORTISE_GATEWAY_LISTEN": address]) }
            #expect(failure.kind == .usage)
            #expect("\(failure)".contains("neither a loopback address nor a socket"), "\(failure)")
            let open = ["MORTISE_GATEWAY_LISTEN": address, "MORTISE_GATEWAY_OPEN": "true"]
            #expect(try serve(open).gateway.isOpen)
        }
        for address in [
            "127.0.0.1:9000", "127.1.2.3:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "localhost:1", "unix:/s;proxy",
        ] {
            #expect(try serve(["MORTISE_GATEWAY_LISTEN": address]).gateway.addresses.count == 1, "\(address)")
        }
    }

    @Test func `a certificate without its key is refused, and so is one address of two listeners`() throws {
        for variable in ["MORTISE_TLS_CERTIFICATE", "MORTISE_TLS_KEY"] {
            let failure = try #require(throws: CommandFailure.self) { try serve([variable: "/f"]) }
            #expect(failure.kind == .usage && "\(failure)".contains("is given without MORTISE_TLS_"), "\(failure)")
        }
        let listeners = ["LISTEN", "OPERATIONS_LISTEN", "GATEWAY_LISTEN", "GRPC_LISTEN"].map { "MORTISE_\($0)" }
        for address in ["127.0.0.1:9", "unix:/s"] {
            for (index, first) in listeners.enumerated() {
                for second in listeners[(index + 1)...] {
                    let failure = try #require(throws: CommandFailure.self) {
                        try serve([first: address, second: address])
                    }
                    let sentence = "\(first) and \(second) have the same address, \(address)."
                    #expect(failure.kind == .usage && "\(failure)".contains(sentence), "\(failure)")
                }
            }
            let list = "\(address),127.0.0.1:8,\(address)"
            let failure = try #require(throws: CommandFailure.self) { try serve(["MORTISE_GATEWAY_LISTEN": list]) }
            #expect("\(failure)".contains("MORTISE_GATEWAY_LISTEN has the address \(address) twice."), "\(failure)")
        }
        let free = ["MORTISE_LISTEN": "127.0.0.1:0", "MORTISE_GATEWAY_LISTEN": "127.0.0.1:0,127.0.0.1:0"]
        #expect(try serve(free).gateway.addresses.count == 2)
        let remote = try #require(throws: CommandFailure.self) { try serve(["MORTISE_GRPC_LISTEN": "10.0.0.1:9"]) }
        #expect("\(remote)".contains("neither a loopback address nor a socket"), "\(remote)")
        #expect(try serve(["MORTISE_LISTEN": "unix:/run/m.sock"]).listen == .unixSocket(path: "/run/m.sock"))
    }

    @Test func `an empty variable or member does not hide the next source`() throws {
        #expect(try serve(["MORTISE_THREADS": ""], file: "threads: 3").connections.threads == 3)
        for empty in ["threads:", "threads: ~", "threads: null", "threads: ''"] {
            #expect(try serve(file: empty).connections.threads == ServingThreads.defaultCount)
        }
    }

    @Test(arguments: [
        ("MORTISE_LISTEN", "8080"), ("MORTISE_LISTEN", "a:99999"), ("MORTISE_LISTEN", "::1:80"),
        ("MORTISE_LISTEN", ":80"),
        ("MORTISE_LOG_LEVEL", "loud"), ("MORTISE_LOG_FORMAT", "xml"), ("MORTISE_ACCESS_LOG", "some"),
        ("MORTISE_DRAIN_DELAY", "3601"), ("MORTISE_LOOKUP_WORKSPACES", "0"), ("MORTISE_MANAGED_WORKSPACES", "1001"),
        ("MORTISE_THREADS", "0"), ("MORTISE_THREADS", "65"), ("MORTISE_SHUTDOWN_GRACE", "-1"),
        ("MORTISE_SHUTDOWN_GRACE", "1e3"), ("MORTISE_DATABASE_URL", "mysql://x"),
        ("MORTISE_TRUSTED_PROXIES", "proxy.example.com"), ("MORTISE_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("MORTISE_TRUSTED_PROXIES", "10.0.0.0/33"), ("MORTISE_TRUSTED_PROXIES", "10.0.0.0/8 *"),
        ("MORTISE_OPERATIONS_LISTEN", "9090"), ("MORTISE_OPERATIONS_LISTEN", "unix:/s;proxy"),
        ("MORTISE_WEBHOOK_ALLOW", "localhost"),
        ("MORTISE_GATEWAY_LISTEN", "9000"), ("MORTISE_GATEWAY_LISTEN", "unix:"), ("MORTISE_GATEWAY_LISTEN", "a:1;tls"),
        ("MORTISE_GATEWAY_LISTEN", "127.0.0.1:1,,unix:/s"),
        ("MORTISE_GATEWAY_OPEN", "yes"), ("MORTISE_TRUSTED_PROXIES", " , "), ("MORTISE_KEYS_PER_SUBJECT", "0"),
        ("MORTISE_EVENT_DAYS", "89"),
    ])
    func `a malformed setting is refused, and the error names its source and the expected values`(
        _ name: String,
        _ value: String
    ) throws {
        let failure = try #require(throws: CommandFailure.self) { try serve([name: value]) }
        #expect(failure.kind == .usage)
        #expect(failure.message.contains(name))
        let member = name.dropFirst("MORTISE_".count).lowercased()
        let setting = try #require(Settings.members.first { $0.member == member })
        #expect(failure.text.contains(setting.expected))
        let inFile = try #require(throws: CommandFailure.self) { try serve(file: "data: /d\n\(member): \"\(value)\"") }
        #expect(inFile.kind == .usage)
        #expect(inFile.message.contains("\(member) (/etc/m.yaml, line 2)"))
        #expect(inFile.text.contains(setting.expected) && !inFile.details.isEmpty)
    }

    // A server with more connections than its PostgreSQL server allows fails only under load.
    @Test func `more connections than Mortise's own PostgreSQL server allows are refused before the start`() throws {
        let many = ["MORTISE_LOOKUP_WORKSPACES": "500"]
        let failure = try #require(throws: CommandFailure.self) { try serve(many) }
        #expect(failure.kind == .usage)
        #expect(failure.text.contains("MORTISE_THREADS") && failure.text.contains("MORTISE_LOOKUP_WORKSPACES"))
        // The bound of another server is not known here. The doctor reads it from the server.
        let other = try serve(many.merging(["MORTISE_DATABASE_URL": "postgresql://u@db/x"]) { $1 })
        #expect(other.connections.maximum(allowed: 300) > 500)
        // Look-ups, management, counts, the control database's own, changes that stop keys, the provisioner, the overviews of
        // workspaces, and the lease with the fences of changes.
        #expect(
            try serve([:]).connections.maximum(allowed: 300)
                == 100 + ServingThreads.defaultCount + 16 + (4 + 2 + 1) + (3 + 3) + 12 + 12
                + 1 + (16 + 8 + 2)
        )
    }

    @Test func `a first member needs an e-mail address and a password`() throws {
        let email = try #require(throws: CommandFailure.self) { try serve(["MORTISE_ADMIN_EMAIL": "ada@example.org"]) }
        #expect(email.message.contains("MORTISE_ADMIN_EMAIL") && email.text.contains("--admin-password-file"))
        let password = try #require(throws: CommandFailure.self) { try serve(file: "admin_password: hunter2hunter2") }
        #expect(password.message.contains("admin_password (/etc/m.yaml, line 1)"))
        #expect(password.text.contains("MORTISE_ADMIN_EMAIL") && !password.text.contains("hunter2"))
        let wrong = try #require(throws: CommandFailure.self) {
            try serve(["MORTISE_ADMIN_PASSWORD": "hunter2hunter2"], file: "admin_email: nobody")
        }
        #expect(wrong.message.contains("admin_email (/etc/m.yaml, line 1)"))
    }

    private static let oidc = [
        "MORTISE_OIDC_ISSUER": "https://login.example.com/realms/acme", "MORTISE_OIDC_CLIENT_ID": "mortise",
        "MORTISE_OIDC_CLIENT_SECRET": "hunter2hunter2",
    ]

    @Test func `an OpenID provider is named by its issuer, a client and a secret`() throws {
        #expect(try serve([:]).signIn == SignInSettings(provider: nil, passwords: .on))
        let settings = try serve(Self.oidc)
        let expected = IdentityProvider(
            issuer: "https://login.example.com/realms/acme",
            clientID: "mortise",
            clientSecret: ClientSecret("hunter2hunter2"),
            name: "login.example.com"
        )
        #expect(settings.signIn == SignInSettings(provider: expected, passwords: .on))
        #expect(!"\(settings.signIn)".contains("hunter2"))
        let named = try serve(Self.oidc.merging(["MORTISE_OIDC_NAME": "Acme & Co"]) { $1 }, file: "passwords: off")
        #expect(named.signIn.provider?.name == "Acme & Co" && named.signIn.passwords == .off)
        let local = try serve(Self.oidc.merging(["MORTISE_OIDC_ISSUER": "http://127.0.0.1:9400"]) { $1 })
        #expect(local.signIn.provider?.name == "127.0.0.1:9400")
    }

    // Over plain HTTP, anybody on the way could sign in as anybody.
    @Test(arguments: [
        "http://login.example.com", "login.example.com", "https://", "https://user@login.example.com",
        "https://login.example.com?a=b",
        "https://login.example.com#a", "http://127.0.0.1.example.com", "https://login .example.com",
        "ftp://login.example.com", "https://login.example.com;sandbox", "https://login.example.com'",
        "https://login,example.com",
    ])
    func `an issuer that is not encrypted, or no issuer at all, is refused`(_ issuer: String) throws {
        let error = try #require(throws: CommandFailure.self) {
            try serve(Self.oidc.merging(["MORTISE_OIDC_ISSUER": issuer]) { $1 })
        }
        #expect(error.kind == .usage && error.message.contains("MORTISE_OIDC_ISSUER"))
    }

    @Test func `a part of a provider's settings is a fault that names the rest`() throws {
        for name in Self.oidc.keys.sorted() {
            let rest = Self.oidc.filter { $0.key != name }
            let error = try #require(throws: CommandFailure.self) { try serve(rest) }
            #expect(error.message.contains("\(name) is missing") && !error.text.contains("hunter2"))
        }
        let both = try #require(throws: CommandFailure.self) {
            try serve(["MORTISE_OIDC_ISSUER": "https://login.example.com"])
        }
        #expect(both.message.contains("MORTISE_OIDC_CLIENT_ID and MORTISE_OIDC_CLIENT_SECRET are missing"))
        // A name alone would be ignored, and the operator would look for the button.
        let name = try #require(throws: CommandFailure.self) { try serve(["MORTISE_OIDC_NAME": "Acme"]) }
        #expect(name.message.hasPrefix("MORTISE_OIDC_NAME is given, but MORTISE_OIDC_ISSUER and "))
    }

    // An operator must not lock all members out by one setting.
    @Test func `passwords are not turned off without a provider`() throws {
        let error = try #require(throws: CommandFailure.self) { try serve(["MORTISE_PASSWORDS": "off"]) }
        #expect(error.message == "Passwords are off, and there is no OpenID provider: no member could sign in.")
        #expect(error.text.contains("MORTISE_OIDC_ISSUER"))
        #expect(throws: CommandFailure.self) { try serve(["MORTISE_PASSWORDS": "false"]) }
    }

    @Test func `a first member needs no password where there is a provider`() throws {
        let email = ["MORTISE_ADMIN_EMAIL": "ada@example.org"]
        let settings = try serve(Self.oidc.merging(email) { $1 })
        #expect(settings.firstMember == (try FirstMember(email: "ada@example.org", password: nil)))
    }
}
