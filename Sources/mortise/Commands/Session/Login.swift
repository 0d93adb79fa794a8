import ArgumentParser
import MortiseClient

/// The `mortise login` command.
struct Login: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sign in and keep the session in a profile.",
        discussion: HelpText.discussion(
            """
            The command asks for the e-mail address and the password of a member, and begins a session. Later commands use the
            session, and renew it before it ends. With --token-file, the profile keeps an admin key or operator key instead.

            With --browser, the command prints an address of the console and waits for five minutes. You sign in there, with the
            identity provider if there is one, compare the letters of the page with those of the terminal, and confirm. The
            session acts in the organization that the console shows.

            Profiles are in ~/.config/mortise/profiles.json, or below XDG_CONFIG_HOME. Only you can read the file, and a file that
            others can read is refused. The new profile becomes the current one.

            A command takes its credential from --token-file, --profile, MORTISE_TOKEN, MORTISE_PROFILE or the current profile,
            in this order. It sends the credential of a profile only to the server of the profile.
            """,
            needs: "a running server, and a member with a password or a key",
            examples: [
                "login ada@example.com",
                "login ada@example.com --organization acme --url https://keys.example.com --profile acme",
                "login ci@example.com --password-file /run/secrets/password",
                "login --browser --url https://keys.example.com",
                "login --token-file operator.key --profile operator",
            ],
            exits: """
                0 success, 1 refused by the server, 3 no Mortise answers, 64 usage error, 74 the profile cannot be written, \
                130 interrupted
                """
        )
    )

    @Argument(help: "The e-mail address of the member. (default: asked on the terminal)")
    var email: String?

    @Flag(help: "Sign in through the console in a browser on this machine.")
    var browser = false

    @Option(help: "The organization to work in, by its id or slug. (default: that of the oldest membership)")
    var organization: String?

    @Option(
        help: ArgumentHelp(
            "A file with the password in its first line; - is standard input. (default: asked on the terminal)",
            valueName: "path"
        )
    )
    var passwordFile: InputFile?

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func validate() throws {
        guard !browser || (connection.tokenFile == nil && email == nil && organization == nil && passwordFile == nil)
        else {
            throw ValidationError(
                "Use --browser without an e-mail address, --organization, --password-file and --token-file."
            )
        }
        guard connection.tokenFile == nil || (email == nil && organization == nil && passwordFile == nil) else {
            throw ValidationError("Use --token-file without an e-mail address, --organization and --password-file.")
        }
    }

    func run() async throws {
        try SettingWarning.printUnknownVariables()
        let store = try ProfileStore.find()
        let known = try store.load()
        let name =
            connection.profile ?? Environment.value(ServerAccess.profileVariable) ?? known.current
            ?? Profiles.standardName
        let url = try url(known.byName[name])
        try connection.checkEncryption(of: url)
        let authorities =
            connection.caFile ?? Environment.value(ServerAccess.authoritiesVariable) ?? known.byName[name]?.authorities
        let secret = try await secret(url, authorities)
        let profile = Profile(url: url.text, authorities: authorities, secret: secret)
        try await store.change { profiles in
            profiles.byName[name] = profile
            profiles.current = name
        }
        try Output.line("Logged in as \(profile.summary). The profile is \(name).".printable)
    }

    private func url(_ known: Profile?) throws(CommandFailure) -> ServerURL {
        if let given = try ServerURL.given(option: connection.url) { return given }
        return try ServerURL(known?.url ?? ServerURL.standard, from: "--url")
    }

    /// Asks for the credential and checks it with the server.
    private func secret(_ url: ServerURL, _ authorities: String?) async throws -> Profile.Secret {
        let limit = connection.time.limit
        if let file = connection.tokenFile {
            let token = try await file.readToken(option: "--token-file")
            let credential = CommandCredential(token, from: "--token-file")
            let client = try ServerClient(url, credential: credential, timeout: limit, authorities: authorities)
            _ = try await client.answer(to: Request { client throws(MortiseError) in try await client.me() })
            return .key(token)
        }
        if browser {
            let login = BrowserLogin(url: url, authorities: authorities, timeout: limit)
            return .session(Profile.Session(try await login.run()))
        }
        let email = try await address()
        let password = try await password()
        let client = try ServerClient(url, credential: nil, timeout: limit, authorities: authorities)
        let request = Request { client throws(MortiseError) in
            try await client.beginSession(email: email, password: password, organization: organization)
        }
        do throws(CommandFailure) {
            return .session(Profile.Session(try await client.answer(to: request).value))
        } catch {
            // The server tells no stranger which organizations exist, and so not even a member that this one does not.
            guard error.reason == .unauthenticated, let organization else { throw error }
            throw error.adding(
                "Is the organization \(organization) right? Without --organization, you sign in to that of your oldest membership."
            )
        }
    }

    private func address() async throws -> String {
        if let email { return email }
        guard Terminal.canAsk else {
            throw CommandFailure.usage(
                "There is no terminal to ask for the e-mail address. Name it: `mortise login EMAIL`."
            )
        }
        return try await Terminal.ask("E-mail address: ")
    }

    private func password() async throws -> SecretToken {
        if let passwordFile { return try await passwordFile.readPassword(option: "--password-file") }
        let missing = CommandFailure.usage(
            "There is no terminal to ask for the password. Name a file with --password-file."
        )
        return SecretToken(try await HiddenPrompt.ask("Password: ", orThrow: missing))
    }
}
