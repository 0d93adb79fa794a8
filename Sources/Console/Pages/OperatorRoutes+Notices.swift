import Endpoints
import HTTPTypes
import Service
import Tenancy

/// The form for an organization's reaction to leaked tokens and its notices about keys.
extension OperatorRoutes {
    private static let noticesPath = "\(organizationPath)/notices"

    var saveNotices: ConsoleEndpoint {
        context.operatorAction(Self.noticesPath, id: "consoleSaveOrganizationNotices") { visit in
            try await OldPage.comparing {
                let found = try await visit.platform.organizations.get(
                    try visit.request.parameter("organization"),
                    by: visit.caller
                )
                if let faults = try await NoticesForm.save(visit.form, of: found, visit.platform, by: visit.caller) {
                    return try await organizationPage(faults, visit, status: .unprocessableContent)
                }
                throw Redirect(location: "\(Self.path)/organizations/\(found.slug)?done=saved")
            }
        }
    }

    var backFromNotices: ConsoleEndpoint {
        context.operatorPage(Self.noticesPath, id: "consoleOrganizationNoticesPage") { visit in
            throw Redirect(
                location: "\(Self.path)/organizations/\(FormText.encode(try visit.request.parameter("organization")))"
            )
        }
    }
}
