import Endpoints
import Surfaces

/// The path parameters of the native API, each of which names the kind of what is missing.
extension PathParameter {
    /// A workspace.
    static let workspace = DomainSchema.workspaceParameter.absent("There is no workspace with this id or slug.")
    /// An organization.
    static let organization = PathParameter("organization", "The organization's id or slug.")
        .absent("There is no organization with this id or slug.")
    /// A membership.
    static let member = PathParameter("id", "The membership's id.").absent("There is no member with this id.")

    /// Returns the parameter `id`, or another one, of something that has an id only.
    static func id(of kind: String, named name: String = "id") -> PathParameter {
        PathParameter(name, "The \(kind)'s id.").absent("There is no \(kind) with this id.")
    }
}
