import Endpoints
import JSON
import Keys
import Tenancy

/// The JSON of a workspace in Boltz's dialect: exactly seven members, null or not.
struct BoltzWorkspaceJSON: BoltzListed {
    let workspace: Workspace

    var boltzID: String { BoltzIdentifier.workspace(workspace.id) }

    var place: PageCursor { PageCursor(createdAt: workspace.createdAt, id: workspace.id) }

    static let schema = Schema.object([
        .required("id", BoltzSchema.identifier),
        .required("archived_at", BoltzSchema.time.orNull),
        .required("created_at", BoltzSchema.time),
        .required("data_retention", BoltzSchema.dataRetention),
        .required("is_default", .boolean),
        .required("name", BoltzSchema.name.orNull),
        .required("updated_at", BoltzSchema.time),
    ])

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", boltzID)
            $0.member("archived_at", workspace.archivedAt?.boltz)
            $0.member("created_at", workspace.createdAt.boltz)
            $0.key("data_retention")
            $0.value(rawJSON: workspace.dataRetention.utf8)
            $0.member("is_default", workspace.isDefault)
            $0.member("name", workspace.name)
            $0.member("updated_at", workspace.updatedAt.boltz)
        }
    }
}
