import Endpoints
import FoundationEssentials
import HTTPTypes
import Keys
import People
import Service
import Tenancy

/// The session issuers of an organization, which operators add and remove.
extension OperatorRoutes {
    private static let issuersPath = "\(organizationPath)/session-issuers"
    private static let removalPath = "\(issuersPath)/{id}/remove"

    var issuerEndpoints: [ConsoleEndpoint] { [addIssuer, backFromIssuers, askRemoval, removeIssuer] }

    private var addIssuer: ConsoleEndpoint {
        context.operatorAction(Self.issuersPath, id: "consoleAddSessionIssuer") { visit in
            let name = try visit.request.parameter("organization")
            let found = try await visit.platform.organizations.get(name, by: visit.caller)
            let new = NewSessionIssuer(
                issuer: visit.form["issuer"].trimmed,
                keys: .url(visit.form["jwks_url"].trimmed),
                authorizedParties: visit.form.lines("authorized_parties")
            )
            do {
                _ = try await visit.platform.sessionIssuers.add(
                    new,
                    organization: UUIDv7.text(of: found.id),
                    by: try visit.callerOnce()
                ) { "{\"id\":\"\(UUIDv7.text(of: $0.id))\"}" }
            } catch {
                guard let faults = FormFaults(error, again: "add another") else { throw error }
                return try await organizationPage(faults, visit, status: .unprocessableContent)
            }
            throw Redirect(location: "\(Self.path)/organizations/\(found.slug)?done=issuer-added")
        }
    }

    private var backFromIssuers: ConsoleEndpoint {
        context.operatorPage(Self.issuersPath, id: "consoleSessionIssuerPage") { visit in
            throw Redirect(
                location: "\(Self.path)/organizations/\(FormText.encode(try visit.request.parameter("organization")))"
            )
        }
    }

    // MARK: Removing

    /// The page that says what the removal breaks.
    private var askRemoval: ConsoleEndpoint {
        context.operatorPage(Self.removalPath, id: "consoleAskSessionIssuerRemoval") { visit in
            let organization = try await findOrganization(visit)
            return removalPage(try await findIssuer(organization, visit), organization, FormFaults(), visit)
        }
    }

    private var removeIssuer: ConsoleEndpoint {
        context.operatorAction(Self.removalPath, id: "consoleRemoveSessionIssuer") { visit in
            let organization = try await findOrganization(visit)
            let found = try await findIssuer(organization, visit)
            guard OldPage.isSame("confirmation", visit.form["confirmation"], found.issuer) else {
                var faults = FormFaults()
                faults.add("confirmation", "This is not the issuer. Nothing was changed.")
                return removalPage(found, organization, faults, visit, status: .unprocessableContent)
            }
            try await Self.missing(of: organization)
                .found {
                    try await visit.platform.sessionIssuers.remove(
                        found.id,
                        organization: UUIDv7.text(of: organization.id),
                        by: visit.caller
                    )
                }
            throw Redirect(location: "\(Self.path)/organizations/\(organization.slug)?done=issuer-removed")
        }
    }

    private func findOrganization(_ visit: OperatorVisit) async throws -> Organization {
        try await visit.platform.organizations.get(try visit.request.parameter("organization"), by: visit.caller)
    }

    private static func missing(of organization: Organization) -> MissingObject {
        let list = "\(path)/organizations/\(UUIDv7.text(of: organization.id))#issuers"
        return MissingObject(noun: "session issuer", end: "removed", list: list)
    }

    /// Returns the issuer that the path names.
    ///
    /// - Throws: `MissingObject`; the errors of the use case.
    private func findIssuer(_ organization: Organization, _ visit: OperatorVisit) async throws -> SessionIssuer {
        try await Self.missing(of: organization)
            .found {
                guard let id = UUIDv7.parse(try visit.request.parameter("id")) else { throw Refusal.notFound }
                return try await visit.platform.sessionIssuers.get(
                    id,
                    organization: UUIDv7.text(of: organization.id),
                    by: visit.caller
                )
            }
    }

    private func removalPage(
        _ issuer: SessionIssuer,
        _ organization: Organization,
        _ faults: FormFaults,
        _ visit: OperatorVisit,
        status: HTTPResponse.Status = .ok
    ) -> EndpointResponse {
        var values: [String: Any] = [
            "path": "\(Self.path)/organizations/\(UUIDv7.text(of: organization.id))",
            "organizationName": organization.name, "id": UUIDv7.text(of: issuer.id), "issuer": issuer.issuer,
            "confirmation": visit.form["confirmation"],
        ]
        values.merge(faults.values) { _, new in new }
        let title = "Stop trusting a session issuer"
        return visit.page("platform-issuer", title: title, in: "Organizations", values, status: status)
    }
}
