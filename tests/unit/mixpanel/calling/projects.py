from config.projects import HOSTS, Project, ServiceAccount
from config.secret import Secret

TOKEN = "token-of-the-project"
ALL = Project(
    id="2195193",
    name="Shop",
    region="eu",
    token=Secret(TOKEN),
    hosts=HOSTS["eu"],
    webhook_credentials=(),
    service_account=ServiceAccount("relay.mp", Secret("account-secret")),
    oauth_token=Secret("oauth-secret"),
    project_secret=Secret("project-secret"),
    api_key=Secret("api-key"),
)
BARE = Project("2195193", "Shop", "eu", Secret(TOKEN), HOSTS["eu"], ())
