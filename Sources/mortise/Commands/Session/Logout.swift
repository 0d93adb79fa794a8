import ArgumentParser
import MortiseClient

/// The `mortise logout` command.
struct Logout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End the session of a profile and remove the profile.",
        discussion: HelpText.discussion(
            "The profile is removed even if the server cannot be reached. Its session then lasts until it expires.",
            needs: "a profile of `mortise login`",
            examples: ["logout", "logout --profile acme"],
            exits: """
                0 success, 1 refused by the server, 3 no Mortise answers, 64 there is no such profile, 74 the profile cannot be \
                written
                """
        )
    )

    @Option(help: "The profile. Environment: MORTISE_PROFILE. (default: the current profile)")
    var profile: String?

    @OptionGroup
    var time: TimeoutOptions

    func run() async throws {
        let store = try ProfileStore.find()
        let profiles = try store.load()
        guard let name = profile ?? Environment.value(ServerAccess.profileVariable) ?? profiles.current else {
            throw CommandFailure.usage(
                "You are not logged in.",
                details: ["`mortise profile list` lists the profiles."]
            )
        }
        guard let found = profiles.byName[name] else { throw CommandFailure.noProfile(name, among: profiles) }
        var failure: (any Error)?
        if case .session(let session) = found.secret {
            do {
                try await end(session, of: found, name, in: store)
            } catch {
                failure = error
            }
        }
        try await store.change { $0.remove(name) }
        if let failure {
            try Output.error("The profile \(name) was removed, but its session may last until it expires.".printable)
            throw failure
        }
        try Output.line("Logged out of \(found.url). The profile \(name) was removed.".printable)
    }

    private func end(_ session: Profile.Session, of profile: Profile, _ name: String, in store: ProfileStore)
        async throws
    {
        let url = try ServerURL(profile.url, from: "The URL of the profile \(name)")
        let anonymous = try Mortise.anonymous(url, timeout: time.limit, authorities: profile.authorities)
        let keeper = ProfileSession(session, of: name, in: store, client: anonymous)
        // A session that has ended needs no end.
        guard (try? await keeper.token()) != nil || !session.needsRenewal else { return }
        let client = try ServerClient(
            url,
            credential: CommandCredential(keeper, from: "the profile \(name)"),
            timeout: time.limit,
            authorities: profile.authorities
        )
        _ = try await client.answer(to: Request { client throws(MortiseError) in try await client.signOut() })
    }
}
