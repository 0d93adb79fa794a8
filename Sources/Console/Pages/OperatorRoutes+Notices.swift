import Endpoints
import HTTPTypes
import Keys
import Service
import Tenancy

/// The form for an organization's reaction to leaked tokens and its notices about keys.
extension OperatorRoutes {
    private static let noticesPath = "\(organizationPath)/notices"

    var saveNotices: ConsoleEndpoint {
        context.operatorAction(Self.noticesPath, id: "consoleSaveOrganizationNotices") { visit in
            let found = try await visit.platform.organizations.get(
                try visit.request.parameter("organization"),
                by: visit.caller
            )
            var faults = FormFaults()
            let change = NoticesForm.change(of: found, visit.form, &faults)
            guard faults.isEmpty else {
                return try await organizationPage(faults, visit, status: .unprocessableContent)
            }
            do {
                _ = try await visit.platform.organizations.update(UUIDv7.text(of: found.id), change, by: visit.caller)
            } catch {
                guard let faults = FormFaults(error) else { throw error }
                return try await organizationPage(faults, visit, status: .unprocessableContent)
            }
            throw Redirect(location: "\(Self.path)/organizations/\(found.slug)?done=saved")
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
