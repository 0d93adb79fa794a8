import FoundationEssentials
import KeyStore
import Keys
import People
import Postgres
import Tenancy

extension AccessControl {
    /// Who asks, with what they may do at this moment.
    ///
    /// A request is authenticated before its body is read and before a password is hashed; whoever was shut out since must not decide any
    /// more.
    ///
    /// - Parameters:
    ///   - principal: who asked.
    ///   - connection: to the control database, with the transaction of what is to be decided.
    /// - Returns: the same principal with its permissions of now.
    /// - Throws: `Refusal.unauthenticated` where the session or the key has ended; the database's errors.
    func current(_ principal: Principal, _ connection: PostgresConnection) async throws -> Principal {
        switch principal.identity {
        case .member(let member):
            let session = try await platform.peopleStore(connection).session(member.sessionID)
            guard let session, session.isAlive, let current = Principal(session) else { throw Refusal.unauthenticated }
            return current
        case .key(let presented):
            let store = KeyStore(connection)
            let owner = principal.organizationID.map(KeyOwner.organization) ?? .platform
            let now = try await store.now()
            guard let key = try await store.find(presented.keyID, in: owner),
                key.status(at: now).isUsable,
                key.secrets.contains(where: { $0.id == presented.secretID }),
                let permissions = PermissionSet(names: key.permissions)
            else { throw Refusal.unauthenticated }
            return Principal(
                keyID: presented.keyID,
                secretID: presented.secretID,
                name: key.name,
                reach: principal.reach,
                permissions: permissions
            )
        case .workspaceKey, .external, .system: return principal
        }
    }

    /// The caller as they are now, before a change of keys.
    ///
    /// Of keys in the control database alone: where the credential lives in another database than what it changes, no transaction has
    /// both, and what was read when the request had come whole is what counts.
    ///
    /// - Throws: `Refusal.unauthenticated` where the session or the key has ended, `Refusal.forbidden` where it lost the permission.
    func current(_ caller: Caller, over home: KeyHome, _ connection: PostgresConnection) async throws -> Caller {
        switch home.owner {
        case .workspace, .clients: return caller
        case .organization, .platform:
            var caller = caller
            caller.principal = try await current(caller.principal, connection)
            try caller.principal.requireWide(caller.principal.reach == .platform ? .platform : .keysWrite)
            return caller
        }
    }
}
