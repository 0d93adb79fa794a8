import Locks
import NIOCore
import Service
import Tenancy
import Verification

/// The audiences of organizations' names, as last read.
///
/// An organization can be renamed, and another one can then take its slug. So an entry counts for a short time only. A workspace is
/// not here, because the facts of a workspace never change.
final class AudienceCache: Sendable {
    private struct Entry {
        let audience: Audience
        let expiry: NIODeadline
    }

    /// The time for which an entry counts.
    private static let lifetime = TimeAmount.seconds(5)
    /// The number of entries at which the cache is emptied.
    private static let maximum = 4096

    private let access: AccessControl
    /// The thread that reads an entry is not the one that wrote it: checks are answered on event loops, and names are looked up on reactors.
    private let entries = ReadMostlyMap<AudienceName, Entry>()

    init(_ access: AccessControl) {
        self.access = access
    }

    /// Returns the audience with a name, if it is in memory.
    func known(_ name: AudienceName) -> Audience? {
        if case .workspace(let id) = name { return access.knownAudience(ofWorkspace: id) }
        guard let known = entries[name], NIODeadline.now() < known.expiry else { return nil }
        return known.audience
    }

    /// Returns the audience with a name, or `nil` if it does not exist.
    ///
    /// - Throws: The errors of the control database.
    func audience(_ name: AudienceName) async throws -> Audience? {
        if let known = known(name) { return known }
        let now = NIODeadline.now()
        let audience: Audience?
        switch name {
        case .workspace(let id): return try await access.audience(ofWorkspace: id)
        case .organization(let id): audience = try await access.audience(ofOrganization: id)
        case .organizationSlug(let slug): audience = try await access.audience(ofOrganizationSlug: slug)
        case .malformed: return nil
        }
        guard let audience else { return nil }
        // The time counts from before the read, so that a change in the meantime is not missed for longer.
        if entries.count >= Self.maximum { entries.removeAll() }
        entries.update(Entry(audience: audience, expiry: now + Self.lifetime), for: name)
        return audience
    }
}
