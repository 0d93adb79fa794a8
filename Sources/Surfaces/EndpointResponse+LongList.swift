package import Endpoints
package import FoundationEssentials
package import JSON
package import Service
import Tenancy

extension EndpointResponse {
    /// Returns an answer with a list of keys that can be long, which the closure writes.
    ///
    /// The lists of an organization are written one after the other, and few at once, so they leave processors to the requests of others.
    ///
    /// - Parameters:
    ///   - keys: The collection that the keys belong to.
    ///   - platform: The use cases.
    ///   - write: Writes the list, on a thread of the system's pool.
    /// - Returns: The answer.
    /// - Throws: `capacityExceeded` if too many lists wait, `CancellationError`.
    package static func longList(
        of keys: KeyCollection,
        on platform: Platform,
        _ write: @Sendable (inout JSONWriter) -> Void
    ) async throws -> EndpointResponse {
        try await longList(of: keys.owningOrganizationID, on: platform, write)
    }

    /// Returns an answer with a list of an organization that can be long, which the closure writes.
    ///
    /// - Parameters:
    ///   - organization: The organization. `nil` stands for the platform.
    ///   - platform: The use cases.
    ///   - write: Writes the list, on a thread of the system's pool.
    /// - Returns: The answer.
    /// - Throws: `capacityExceeded` if too many lists wait, `CancellationError`.
    package static func longList(
        of organization: UUID?,
        on platform: Platform,
        _ write: @Sendable (inout JSONWriter) -> Void
    ) async throws -> EndpointResponse {
        try await platform.longLists.withPlace(of: organization) { await long(write) }
    }
}
