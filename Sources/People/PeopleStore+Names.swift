public import FoundationEssentials
import Postgres

extension PeopleStore {
    private static let names = Statement(
        """
        SELECT u.id, u.email FROM control.users u WHERE u.id = ANY ($1)
        AND EXISTS (SELECT FROM control.members m WHERE m.user_id = u.id AND m.organization_id = $2)
        """
    )

    private static let withEmail = Statement(
        """
        SELECT u.id FROM control.users u WHERE u.email = $1
        AND EXISTS (SELECT FROM control.members m WHERE m.user_id = u.id AND m.organization_id = $2)
        """
    )

    /// Returns the user of an organization that has an address, in any case.
    public func user(withEmail email: String, organization: UUID) async throws -> UUID? {
        try await connection.query(Self.withEmail, [email.lowercased(), organization]).first.map { try $0.decode(0) }
    }

    /// Returns the addresses of users of an organization, by id.
    public func emails(of users: [UUID], organization: UUID) async throws -> [UUID: String] {
        var emails: [UUID: String] = [:]
        for row in try await connection.query(Self.names, [users, organization]) {
            emails[try row.decode(0)] = try row.decode(1, as: String.self)
        }
        return emails
    }
}
