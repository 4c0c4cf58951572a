"""Application configurations: requests of the service's API and CloudFormation templates, read into one form."""
