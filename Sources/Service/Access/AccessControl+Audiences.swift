public import FoundationEssentials
import Tenancy
public import Verification

/// The audiences that the configuration of a gateway names.
extension AccessControl {
    /// Returns the audience of one workspace, if this node knows the workspace.
    public func knownAudience(ofWorkspace id: UUID) -> Audience? {
        context.databases.knownFacts(id: id).map { .workspace($0.workspaceID, of: $0.organizationID) }
    }

    /// Returns the audience of one workspace, or `nil` if the workspace does not exist.
    ///
    /// - Throws: The errors of the control database.
    public func audience(ofWorkspace id: UUID) async throws -> Audience? {
        try await context.databases.facts(id: id).map { .workspace($0.workspaceID, of: $0.organizationID) }
    }

    /// Returns the audience of an organization, or `nil` if the organization does not exist.
    ///
    /// - Throws: The errors of the control database.
    public func audience(ofOrganization id: UUID) async throws -> Audience? {
        try await context.readControl { try await $0.organization(id) }.map { .organization($0.id) }
    }

    /// Returns the audience of the organization with a slug, or `nil` if no organization has it.
    ///
    /// - Throws: The errors of the control database.
    public func audience(ofOrganizationSlug slug: String) async throws -> Audience? {
        try await context.readControl { try await $0.organization(slug: slug) }.map { .organization($0.id) }
    }
}
