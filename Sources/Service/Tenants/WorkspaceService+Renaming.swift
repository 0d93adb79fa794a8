import JSON
import KeyStore
import Keys
public import Tenancy

extension WorkspaceService {
    /// Returns the workspace of the caller's organization that had a slug before its slug was changed.
    ///
    /// The history of the organization tells it, of which the last 500 changes of workspaces are read.
    ///
    /// - Parameters:
    ///   - slug: The earlier slug.
    ///   - caller: The caller.
    /// - Returns: The workspace; `nil` if none is found, if another workspace has the slug now, or if the workspace is out of the caller's
    ///   reach.
    /// - Throws: The database's errors.
    public func renamed(from slug: String, by caller: Caller) async throws -> Workspace? {
        guard let organization = caller.principal.organizationID,
            let slug = (try? Slug(validating: slug))?.text
        else { return nil }
        var filter = EventFilter(type: EventType.workspaceUpdated.rawValue)
        filter.scope = .organization(organization)
        let events = try await context.withReader { [filter] connection -> [EventRecord] in
            let present = try await ControlStore(connection).workspace(slug: slug, organization: organization)
            guard present == nil else { return [] }
            return try await EventStore(connection).list(filter, after: nil, limit: 500)
        }
        for event in events {
            guard let changes = try? JSONValue(parsing: event.changes.utf8), changes["slug"]?["from"]?.string == slug,
                let id = event.workspaceID
            else { continue }
            do {
                return try await access.workspace(UUIDv7.text(of: id), for: caller.principal)
            } catch Refusal.notFound {
                continue
            }
        }
        return nil
    }
}
