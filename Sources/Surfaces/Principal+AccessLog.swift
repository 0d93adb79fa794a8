import Keys
package import Logging
package import Service

extension Principal {
    /// The members of a line in the access log that name the principal: its kind and id, and its organization.
    package var accessLogMembers: Logger.Metadata {
        var members: Logger.Metadata = ["actor": .string(actor)]
        if let organizationID { members["organization_id"] = .string(UUIDv7.text(of: organizationID)) }
        return members
    }
}
