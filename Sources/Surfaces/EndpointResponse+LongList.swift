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
    ///   - room: The bytes that the list will need. Defaults to 64 KiB.
    ///   - write: Writes the list, on a thread of the system's pool.
    /// - Returns: The answer.
    /// - Throws: `capacityExceeded` if too many lists wait, `CancellationError`.
    package static func longList(
        of keys: KeyCollection,
        on platform: Platform,
        room: Int = 65_536,
        _ write: @Sendable (inout JSONWriter) -> Void
    ) async throws -> EndpointResponse {
        try await longList(of: keys.owningOrganizationID, on: platform, room: room, write)
    }

    /// Returns an answer with a list of an organization that can be long, which the closure writes.
    ///
    /// - Parameters:
    ///   - organization: The organization. `nil` stands for the platform.
    ///   - platform: The use cases.
    ///   - room: The bytes that the list will need. Defaults to 64 KiB.
    ///   - write: Writes the list, on a thread of the system's pool.
    /// - Returns: The answer.
    /// - Throws: `capacityExceeded` if too many lists wait, `CancellationError`.
    package static func longList(
        of organization: UUID?,
        on platform: Platform,
        room: Int = 65_536,
        _ write: @Sendable (inout JSONWriter) -> Void
    ) async throws -> EndpointResponse {
        try await platform.longLists.withPlace(of: organization) { await long(room: room, write) }
    }
}

extension KeyListing {
    /// The bytes that a list of these keys needs in JSON, about: the texts, and 1 KiB for the names and numbers of each key.
    package var room: Int { textBytes + keys.count * 1024 }
}
