public import KeyStore
import Postgres
import Tenancy

/// A page of a usage report.
public struct UsagePage: Sendable {
    /// The rows, in the order of time.
    public let rows: [UsageRow]
    /// The position of the next page; `nil` on the last page.
    public let next: UsageCursor?
}

extension KeyService {
    /// Returns a page of the usage of one key, or of all keys of a workspace.
    ///
    /// - Parameters:
    ///   - request: The interval, the step and the rows.
    ///   - keys: The collection. The usage of a whole database belongs to a workspace, so without a key the collection must be its
    ///     service keys.
    /// - Returns: The page.
    /// - Throws: `UsageRangeFault`, `Refusal.notFound` for a key that is not in the collection, `Refusal.workspaceUnavailable`, or
    ///   the database's errors.
    public func usage(_ request: UsageRequest, in keys: KeyCollection) async throws -> UsagePage {
        let rows = try await context.withConnection(to: keys.workspace?.facts) { connection in
            if let id = request.keyID {
                guard try await KeyStore(connection).find(id, in: keys.keyOwner) != nil else { throw Refusal.notFound }
            } else if keys.workspace == nil || keys.isOfClients {
                throw Refusal.notFound
            }
            return try await UsageStore(connection).report(request)
        }
        let hasMore = rows.count > request.limit
        let page = Array(rows.prefix(request.limit))
        return UsagePage(rows: page, next: hasMore ? page.last.map(UsageCursor.init) : nil)
    }
}
