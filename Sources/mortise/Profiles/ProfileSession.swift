import Locks
import MortiseClient

/// The session of a profile, whose access token is renewed before it ends.
///
/// A refresh token works once, and a second use ends the session. So one command at a time renews it, and the others
/// read the new tokens from the file.
final class ProfileSession: Sendable {
    private let store: ProfileStore
    private let name: String
    private let client: Mortise
    private let session: Locked<Profile.Session>

    init(_ session: Profile.Session, of name: String, in store: ProfileStore, client: Mortise) {
        self.store = store
        self.name = name
        self.client = client
        self.session = Locked(session)
    }

    /// Returns an access token that lasts at least half a minute.
    ///
    /// - Throws: `CommandFailure` if the session has ended, the server does not answer, or the file cannot be written.
    func token() async throws -> SecretToken {
        let known = session.withLock(\.self)
        guard known.needsRenewal else { return known.access }
        let renewed = try await store.change { [name, client] profiles in
            guard case .session(let stored) = profiles.byName[name]?.secret else { throw ended }
            guard stored.needsRenewal else { return stored }
            do throws(MortiseError) {
                let session = Profile.Session(try await client.renewSession(stored.refresh))
                profiles.byName[name]?.secret = .session(session)
                return session
            } catch {
                guard error.reason == .unauthenticated else { throw CommandFailure(error, credential: "") }
                throw ended
            }
        }
        session.withLock { $0 = renewed }
        return renewed.access
    }

    private var ended: CommandFailure {
        .usage(
            "The session of the profile \(name) has ended.",
            details: ["`mortise login\(name == Profiles.standardName ? "" : " --profile \(name)")` begins a new one."]
        )
    }
}
